"""The corpus: what it keeps of each document in memory."""

import pyarrow as pa
import pytest

from dedup.arrays.spill import SpillPool
from dedup.batch.checkpoints import ReadPosition
from dedup.batch.corpus import CorpusBuilder
from dedup.config import Config
from dedup.readers import PageBatch
from dedup.schema import PAGES, REJECTS
from tests.arabic import news

LONG = news(1, 400)


def corpus_of(*pages):
    rows = [{"page_id": str(number), "input_file": "news.jsonl", "input_row": number, **page} for number, page in enumerate(pages)]
    batch = PageBatch(pa.RecordBatch.from_pylist(rows, PAGES), pa.RecordBatch.from_pylist([], REJECTS))
    with SpillPool(1 << 30) as spill:
        builder = CorpusBuilder(Config().replace({"text.segment": False}), spill, 1)
        builder.add_pages([(batch, ReadPosition())], lambda rows: None)
        return builder.corpus()


@pytest.mark.parametrize("length", [999, 1000])
def test_the_lead_of_a_text_of_up_to_a_thousand_characters_is_the_whole_text(length):
    text = LONG[:length].replace(" ", "و")
    assert corpus_of({"title": "عنوان", "text": text}).leads.to_pylist() == [f"عنوان\n{text}"]


def test_the_lead_of_a_longer_text_has_its_first_thousand_characters():
    text = LONG[:1001].replace(" ", "و")
    assert corpus_of({"title": "عنوان", "text": text}).leads.to_pylist() == [f"عنوان\n{text[:1000]}"]


def test_a_long_title_is_cut_in_the_lead_too():
    title = LONG[:1001].replace(" ", "و")
    assert corpus_of({"title": title, "text": "نص قصير"}).leads.to_pylist() == [f"{title[:1000]}\nنص قصير"]


def test_the_lead_of_a_headline_is_its_title():
    assert corpus_of({"title": "عنوان الخبر"}).leads.to_pylist() == ["عنوان الخبر\n"]
