"""The runner of blocks notices what is wrong: outputs, values, exit codes, names of extras."""

import pytest

from .blocks import Block, World, blocks_of, commands_of, skeleton


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path)

    def run(text, language="console", **marks):
        world.run(Block(tmp_path / "page.md", 1, language, text, marks))

    return run


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)  # pages of these tests are in their folder
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[project.optional-dependencies]\ncrawl = []\n', encoding="utf-8")


def test_a_page_is_split_into_blocks_with_their_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n<!-- needs: a build -->\n```console\n$ dedup\n```\n\n<!-- exit: 2 -->\n\ntext\n\n```python\n1\n```\n\n"
        "```{include} x.md\n```\n\n- item\n\n  <!-- file: a.json -->\n  ```json\n  {}\n  ```\n",
        encoding="utf-8",
    )
    found = [(block.line, block.language, block.text, block.marks) for block in blocks_of(page)]
    assert found == [
        (4, "console", "$ dedup\n", {"needs": "a build"}),
        (12, "python", "1\n", {}),
        (22, "json", "{}\n", {"file": "a.json"}),
    ]


def test_commands_are_split_from_their_output(tmp_path):
    block = Block(tmp_path, 1, "console", "$ one \\\n  two\nout\n$ three\n")
    assert commands_of(block) == [("one two", ["out"]), ("three", [])]


def test_a_shown_line_must_be_printed(run):
    run("$ dedup config\n[copies]\nnear = 0.6\n")  # digits may differ
    with pytest.raises(AssertionError, match="not printed: far"):
        run("$ dedup config\nfar = 0.6\n")


def test_a_command_must_end_with_the_shown_exit_code(run):
    run("$ dedup run missing.jsonl -o out\n", exit="3")
    with pytest.raises(AssertionError, match="exit 3"):
        run("$ dedup run missing.jsonl -o out\n")


def test_a_value_must_be_the_shown_one(run):
    run("1 + 1  # => 2\nx = 'a, b'\nx, 2  # => ('a, b', 2)\n", "python")
    with pytest.raises(AssertionError, match="3 is not 2"):
        run("1 + 2  # => 2\n", "python")


def test_pipes_and_redirections_work(run, tmp_path):
    run("$ printf 'a b' > in.txt && cat in.txt | cat > out.txt\n")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "a b"


def test_extras_that_are_installed_must_exist(run):
    run("$ pip install 'x[crawl]' && pip install scrapy\n")
    with pytest.raises(AssertionError):
        run("$ pip install 'x[other]'\n")


def test_lines_of_output_are_compared_without_digits_and_widths():
    assert skeleton("Copies       26") == skeleton("Copies 1,026")
    assert skeleton("read  0.86 s") != skeleton("copies 0.86 s")
