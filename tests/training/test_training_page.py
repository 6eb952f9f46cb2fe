"""docs/training.md: its examples run, and print what the page says."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_page_prints_what_it_says(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(compile(block, "docs/training.md", "exec"), names)
    said = re.findall(r"^print\(.*\)  # (\[.*\])$", PAGE, re.M)
    assert len(said) == 4
    # a zero's sign is below the digits that are printed
    printed = capsys.readouterr().out.splitlines()
    assert [line.replace("-0. ", "0. ") for line in printed] == [
        line.replace("-0. ", "0. ") for line in said
    ]
