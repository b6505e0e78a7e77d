"""What the literature offers instead of our sketches, sorts and intersections, each as a kernel of equal care."""
