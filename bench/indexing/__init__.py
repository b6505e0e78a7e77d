"""What measures the online index: a crawl of a million articles whose words and shingles are as common as real ones, and the peers.

    python -m bench.online CORPUS            # see there

``passages.py`` writes texts, ``crawl.py`` a crawl with planted copies, ``statistics.py`` says how like the real corpus it is,
``measure.py`` measures the index in processes of their own, ``peers.py`` datasketch on the same texts.
"""
