"""docs/models.md: every line of its tables is what happens."""

import re
from pathlib import Path

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers.antimony import import_antimony

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
ROWS = {
    (section.splitlines()[0], what): (model, result)
    for section in PAGE.split("\n## ")[1:]
    for what, model, result in re.findall(r"^\| (.+?) \| `(.+?)` \| `(.+?)` \|$", section, re.M)
}
READ = {what: row for (section, what), row in ROWS.items() if section != "What is refused"}
REFUSED = {what: row for (section, what), row in ROWS.items() if section == "What is refused"}


def test_the_page_has_examples():
    assert len(READ) >= 15
    assert len(REFUSED) >= 11


@pytest.mark.parametrize(("model", "result"), READ.values(), ids=READ)
@pytest.mark.filterwarnings(
    "ignore:.*(its law counts molecules|different rates|as the number)"
)  # the page says so
def test_what_is_read_becomes_what_the_page_says(model, result):
    reactions = import_antimony(model).reactions
    assert ", ".join(f"{r.equation} ({r.value:g})" for r in reactions) == result


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_refused_as_the_page_says(model, message):
    with pytest.raises(cn.ReactionError, match=re.escape(message)):
        import_antimony(model)
