"""Every response fits the OpenAPI document: schemathesis generates valid and invalid requests."""

from __future__ import annotations

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.config import SchemathesisConfig  # noqa: E402

from dedup.index.index import Index  # noqa: E402
from dedup.serve import ServeSettings, create_app  # noqa: E402
from dedup.serve.openapi import openapi  # noqa: E402

pytestmark = pytest.mark.slow

LIMITS = ServeSettings(max_batch=5, max_body=100_000, max_batch_body=200_000)
OPERATIONS = [(path, method) for path, item in openapi(LIMITS)["paths"].items() for method in item if method != "parameters"]
#: A schema cannot say which dates are valid, so a document that fits it may be refused with 422. A
#: batch with too many rows is refused with 413.
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]},
    "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415", "422"]},
}


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    with Index.open(tmp_path_factory.mktemp("contract") / "news.index", mode="a") as index:
        index.ingest({"id": "b1", "text": "افتتح محافظ مدينة النخيل صباح اليوم الجسر المعلق الجديد على نهر الوادي بعد أربع سنوات"})
        yield schemathesis.openapi.from_asgi(
            "/openapi.json", create_app(index, LIMITS), config=SchemathesisConfig.from_dict({"checks": CHECKS})
        )


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "wrong"])
@pytest.mark.parametrize("path, method", OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_every_response_is_documented(documented, path, method, mode):
    operation = documented[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        pytest.skip("nothing can be wrong in a request without a body or a query: any text is an id")
    seen = []

    @settings(max_examples=40, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        response = case.call()
        case.validate_response(response)
        assert "Traceback" not in response.text
        seen.append(response.status_code)

    ask()
    assert seen
