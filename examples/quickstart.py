"""Tables in, tables out: find the copies and stories in the example crawl.

python examples/quickstart.py
"""

from __future__ import annotations

from pathlib import Path

import dedup


def main() -> None:
    """Run over the crawl beside this file and print copies and stories."""
    result = dedup.run(str(Path(__file__).parent / "crawl"))

    print("Copies and what they are copies of")
    titles = dict(zip(result.documents["doc_id"].to_pylist(), result.documents["title"].to_pylist(), strict=True))
    for document in result.documents.to_pylist():
        if document["status"] == "copy" and document["role"] == "article":
            print(f"  {document['doc_id']} -> {document['canonical_id']}  {document['kind']}, {document['share']:.0%} of it stands there")
            print(f"      {titles[document['doc_id']]}")

    print("Stories of more than one document")
    for story in sorted(result.stories.to_pylist(), key=lambda story: -story["documents"]):
        if story["documents"] > 1:
            print(f"  {story['documents']} documents, {story['copies']} copies: {story['title']}  ({'، '.join(story['keywords'][:4])})")

    # The same for a table of your own: any Arrow table, data frame, or rows as mappings.
    rows = [
        {"id": "1", "text": "أعلنت وزارة النقل عن بدء تشغيل خط القطار الجديد بين العاصمة والساحل يوم الأحد المقبل"},
        {"id": "2", "text": "اعلنت وزاره النقل عن بدء تشغيل خط القطار الجديد بين العاصمه والساحل يوم الاحد المقبل"},
    ]
    copies = dedup.find_copies(rows)
    print("Two spellings of one text:", copies.matches.to_pylist())


if __name__ == "__main__":
    main()
