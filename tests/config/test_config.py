"""The configuration: validation and messages, changes, files, digests."""

import dataclasses
import tomllib

import pytest

import dedup
from dedup.config import Config, settings
from dedup.errors import ConfigError, DedupError

SECTIONS = "input, text, shingles, signatures, candidates, copies, stories, run"


def message_of(changes):
    with pytest.raises(ConfigError) as error:
        Config().replace(changes)
    return str(error.value)


# Validation

RANGES = {
    "input.page_bytes": (1, 1 << 30),
    "text.min_words": (1, 1000),
    "text.min_headline_words": (1, 100),
    "shingles.words": (1, 32),
    "shingles.headline_chars": (2, 16),
    "signatures.permutations": (8, 4096),
    "signatures.seed": (0, 2**32 - 1),
    "candidates.bands": (1, 4096),
    "candidates.rows": (1, 64),
    "candidates.bucket_cap": (2, 100_000),
    "candidates.sampled": (1, 100_000),
    "candidates.list_cap": (2, 1_000_000),
    "candidates.recall": (0.5, 0.9999),
    "candidates.at": (0.01, 1.0),
    "candidates.recall_sample": (0, 1_000_000),
    "copies.near": (0.01, 1.0),
    "copies.excerpt": (0.01, 1.0),
    "copies.contained": (0.01, 1.0),
    "copies.coverage": (0.01, 1.0),
    "copies.distinct": (0.01, 1.0),
    "copies.common": (1, 255),
    "copies.common_in_source": (1, 255),
    "copies.title_days": (0.01, 36500.0),
    "copies.facts": (0.01, 1.0),
    "copies.partial": (0.01, 1.0),
    "copies.title": (0.01, 1.0),
    "stories.title_weight": (1.0, 100.0),
    "stories.lead_words": (1, 100_000),
    "stories.letters": (0.0, 0.99),
    "stories.window_days": (0.01, 3650.0),
    "stories.decay_days": (0.01, 3650.0),
    "stories.headline_decay_days": (0.01, 3650.0),
    "stories.cut": (0.01, 1.0),
    "stories.crowd": (0.0, 100.0),
    "stories.headline_cut": (0.01, 1.0),
    "stories.neighbours": (1, 10_000),
    "run.threads": (0, 1024),
    "run.batch_rows": (1, 10_000_000),
    "run.checkpoint": (1, 1 << 20),
    "run.memory": (0, 1 << 30),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_number_outside_its_range_is_refused_with_the_range(name):
    low, high = RANGES[name]
    for value in (low - 1, high + 1):
        assert f"{name} must be between {low} and {high}, got {value}" in message_of({name: value}).split("; ")


@pytest.mark.parametrize("keep", ["", " ", "واس,,سبق", "واس,"], ids=["empty", "space", "missing_name", "trailing_comma"])
def test_a_policy_without_a_name_is_refused(keep):
    assert message_of({"copies.keep": keep}) == (
        f"copies.keep must be 'earliest', 'fullest' or names of outlets with commas between them, got {keep!r}"
    )


@pytest.mark.parametrize("keep", ["earliest", "fullest", "واس", "واس, سبق"])
def test_a_policy_is_named_or_lists_outlets(keep):
    assert Config().replace({"copies.keep": keep}).copies.keep == keep


def test_every_numeric_setting_has_a_tested_range():
    assert set(RANGES) == {name for name, kind, *_ in settings() if kind in (int, float)}


def test_nan_is_outside_every_range():
    assert message_of({"stories.cut": float("nan")}) == "stories.cut must be between 0.01 and 1.0, got nan"
    assert message_of({"copies.title": float("inf")}) == "copies.title must be between 0.01 and 1.0, got inf"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"copies.near": "0.5"}, "copies.near must be a number, got '0.5'"),
        ({"copies.near": True}, "copies.near must be a number, got True"),
        ({"copies.common": 2.5}, "copies.common must be a whole number, got 2.5"),
        ({"copies.common": True}, "copies.common must be a whole number, got True"),
        ({"copies.common": None}, "copies.common must be a whole number, got None"),
        ({"text.segment": 1}, "text.segment must be true or false, got 1"),
        ({"signatures.scheme": 3}, "signatures.scheme must be text, got 3"),
        ({"input.text": 3}, "input.text must be text, got 3"),
        ({"signatures.scheme": "md5"}, "signatures.scheme must be 'native', 'datasketch' or 'datasketch-legacy', got 'md5'"),
        ({"copies.partial": 0.6, "copies.excerpt": 0.55}, "copies.partial must not be above copies.excerpt, got 0.6 > 0.55"),
        (
            {"candidates.bands": 40, "candidates.rows": 4, "signatures.permutations": 128},
            "candidates.bands * candidates.rows is 40 * 4 = 160 but signatures.permutations is 128. "
            "Lower bands or rows, or raise permutations",
        ),
    ],
)
def test_invalid_values_are_refused(changes, message):
    assert message_of(changes) == message


def test_all_problems_are_reported_at_once():
    assert message_of({"shingles.words": 0, "copies.near": 7, "stories.cut": 0.0}) == (
        "shingles.words must be between 1 and 32, got 0; copies.near must be between 0.01 and 1.0, got 7; "
        "stories.cut must be between 0.01 and 1.0, got 0.0"
    )


def test_a_section_is_validated_as_part_of_a_configuration():
    with pytest.raises(ConfigError, match="copies.near must be between"):
        Config(copies=dedup.CopyConfig(near=2.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"copy.near": 0.6}, f"there is no section 'copy' in the configuration. Did you mean 'copies'? Sections: {SECTIONS}."),
        ({"near": 0.6}, f"there is no section 'near' in the configuration. Sections: {SECTIONS}."),
        ({"digest.near": 0.6}, f"there is no section 'digest' in the configuration. Sections: {SECTIONS}."),
        ({"__class__.x": 0.6}, f"there is no section '__class__' in the configuration. Sections: {SECTIONS}."),
        ({"shingles.size": 3}, "there is no setting 'shingles.size'. Settings of shingles: words, headline_chars."),
        ({"shingles.word": 3}, "there is no setting 'shingles.word'. Did you mean 'words'? Settings of shingles: words, headline_chars."),
        ({"shingles": 3}, "there is no setting 'shingles.'. Settings of shingles: words, headline_chars."),
    ],
)
def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(changes, message):
    assert message_of(changes) == message


def test_a_configuration_error_is_an_error_of_dedup_and_a_value_error():
    assert issubclass(ConfigError, DedupError)
    assert issubclass(ConfigError, ValueError)


# Changes


def test_replace_changes_the_named_settings_of_a_copy():
    original = Config()
    changed = original.replace({"copies.near": 0.6, "copies.common": 20, "text.segment": False})
    assert original == Config()
    assert (changed.copies.near, changed.copies.common, changed.text.segment) == (0.6, 20, False)
    copies = original.copies
    assert changed.replace({"copies.near": copies.near, "copies.common": copies.common, "text.segment": True}) == original


def test_replace_keeps_earlier_changes():
    assert Config().replace({"copies.near": 0.6}).replace({"copies.title": 0.9}).copies.near == 0.6


def test_dependent_settings_can_be_changed_together():
    changed = Config().replace({"candidates.bands": 40, "candidates.rows": 4, "signatures.permutations": 160})
    assert changed.candidates.bands * changed.candidates.rows == changed.signatures.permutations


def test_replacing_nothing_gives_an_equal_configuration():
    assert Config().replace({}) == Config()


def test_a_configuration_is_frozen():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.copies = dedup.CopyConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.copies.near = 0.6


def test_settings_are_keyword_only():
    with pytest.raises(TypeError):
        dedup.CopyConfig(0.6)


def test_the_repr_evaluates_to_an_equal_configuration():
    config = Config().replace({"input.text": "النص", "copies.near": 0.6})
    assert eval(repr(config), {name: getattr(dedup, name) for name in dedup.__all__}) == config


# Files


def test_from_dict_reverses_to_dict():
    config = Config().replace({"input.text": "body", "run.threads": 3})
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_dict({}) == Config()


def test_from_dict_requires_sections():
    with pytest.raises(ConfigError) as error:
        Config.from_dict({"near": 0.6})
    assert str(error.value) == "'near' must be a section with settings, got 0.6."


def test_from_toml_reads_sections_and_settings(tmp_path):
    file = tmp_path / "news.toml"
    file.write_text('[input]\ntext = "النص"\n[copies]\nnear = 0.6\n[text]\nsegment = false\n', encoding="utf-8")
    assert Config.from_toml(file) == Config().replace({"input.text": "النص", "copies.near": 0.6, "text.segment": False})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[copies]\nnear = 7.0\n", "copies.near must be between 0.01 and 1.0, got 7.0"),
        (b'[copies]\nnear = "much"\n', "copies.near must be a number, got 'much'"),
        (b"[shingles]\nsize = 3\n", "there is no setting 'shingles.size'. Settings of shingles: words, headline_chars."),
        (b"[copy]\nnear = 0.6\n", f"there is no section 'copy' in the configuration. Did you mean 'copies'? Sections: {SECTIONS}."),
        (b"near = 0.6\n", "'near' must be a section with settings, got 0.6."),
    ],
)
def test_errors_in_a_toml_file_name_the_file(tmp_path, content, message):
    file = tmp_path / "news.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        Config.from_toml(file)
    assert str(error.value) == f"{file}: {message}"


@pytest.mark.parametrize("content", [b"[copies\n", b"\xff\xfe", b"near 0.6"], ids=["open_bracket", "not_utf8", "no_equals"])
def test_a_file_that_is_not_toml_is_refused(tmp_path, content):
    file = tmp_path / "news.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        Config.from_toml(file)
    assert str(error.value).startswith(f"{file}: not a TOML file (")


def test_a_toml_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError) as error:
        Config.from_toml(tmp_path / "gone.toml")
    assert str(error.value) == f"{tmp_path / 'gone.toml'}: cannot read the configuration (No such file or directory)."
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        Config.from_toml(tmp_path)


def test_an_empty_toml_file_means_the_defaults(tmp_path):
    (tmp_path / "empty.toml").write_bytes(b"")
    assert Config.from_toml(tmp_path / "empty.toml") == Config()


# Its digest and its list of settings


def test_the_digest_is_sixteen_hex_digits_and_the_same_each_time():
    assert len(Config().digest()) == 16
    assert int(Config().digest(), 16) >= 0
    assert Config().digest() == Config.from_dict(Config().to_dict()).digest()


def test_the_digest_ignores_settings_that_only_change_speed():
    assert Config().replace({"run.threads": 7, "run.batch_rows": 11}).digest() == Config().digest()


OTHER = {
    "signatures.scheme": "datasketch", "candidates.bands": 31, "candidates.rows": 3, "candidates.recall": 0.9, "stories.enabled": False,
    "stories.background": "none", "text.segment": False, "copies.keep": "fullest",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, *_ in settings() if not name.startswith("run.")])
def test_the_digest_changes_with_every_setting_that_can_change_a_result(name):
    value = {setting: value for setting, _, value, _ in settings()}[name]
    other = "column" if value is None else value + 1 if isinstance(value, int) else value
    other = value * 0.99 if isinstance(value, float) else other
    assert Config().replace({name: OTHER.get(name, other)}).digest() != Config().digest()


def test_the_digest_depends_on_the_content_of_a_file_not_its_name():
    one, other = (Config().replace({"stories.background": name}) for name in ("a.npz", "b.npz"))
    assert one.digest() != other.digest()
    assert one.digest({"stories.background": "9a0c"}) == other.digest({"stories.background": "9a0c"})
    assert one.digest({"stories.background": "9a0c"}) != one.digest({"stories.background": "9a0d"})
    assert one.digest({"stories.background": "shipped"}) == Config().digest()


def test_settings_lists_every_field_once_with_its_type_value_and_help():
    listed = settings()
    fields = [
        f"{section.name}.{item.name}"
        for section in dataclasses.fields(Config)
        for item in dataclasses.fields(getattr(Config(), section.name))
    ]
    assert [name for name, *_ in listed] == fields
    for name, kind, value, help_text in listed:
        section, _, setting = name.partition(".")
        assert value == getattr(getattr(Config(), section), setting)
        assert value is None or isinstance(value, kind)
        assert kind in (bool, int, float, str)
        assert help_text
        assert help_text == help_text.strip()


def test_settings_of_a_configuration_have_its_values():
    values = {name: value for name, _, value, _ in settings(Config().replace({"input.text": "body", "copies.near": 0.6}))}
    assert values["input.text"] == "body"
    assert values["copies.near"] == 0.6
    assert values["copies.title"] == Config().copies.title


def test_to_dict_returns_plain_values():
    tree = Config().to_dict()
    assert list(tree) == SECTIONS.split(", ")
    assert tomllib.loads("[run]\nthreads = 0\nbatch_rows = 2048\nmemory = 0\ncheckpoint = 128\nkeep_texts = true")["run"] == tree["run"]
