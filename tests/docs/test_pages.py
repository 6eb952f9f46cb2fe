"""README and the site's pages: what they show runs, and prints what they say."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import typer
from support import pages

import crn_nn_tellurium as cn
from crn_nn_tellurium.commands import main as cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}


def in_this_process(line):
    """What a command of ours prints; a process of its own would take two seconds to start."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", shlex.split(line))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", out)
        with pytest.raises(SystemExit) as caught:
            cli.main()
    assert not caught.value.code, line
    return out.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    left_out = pages.run_page(page, in_this_process)
    plt.close("all")
    for sentence in left_out:
        print("not run:", sentence)


@pytest.mark.parametrize("name", TEXTS)
def test_commands_in_a_line_have_verbs_and_options_that_exist(name):
    verbs = typer.main.get_command(cli.app).commands
    for line in re.findall(r"`crn-nn ([^`]+)`", TEXTS[name]):
        verb, *words = line.split()
        assert verb in verbs or verb.startswith("-"), line
        known = {o for p in verbs[verb].params for o in p.opts} | {"--help"} if words else set()
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", TEXTS)
def test_extras_that_pages_name_exist(name):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = set(re.findall(r"^([\w-]+) = \[", project.split("optional-dependencies]")[1], re.M))
    named = re.findall(r"pip install [^\n`]*?\[([\w,-]+)\]", TEXTS[name])
    assert {extra for group in named for extra in group.split(",")} <= extras


def test_the_api_names_everything_once():
    listed = re.findall(r"^   (\w+)$", TEXTS["api.md"], re.M)
    assert sorted(listed) == sorted(cn.__all__)


def test_links_of_the_readme_lead_somewhere():
    """sphinx checks those of the site."""
    for target in re.findall(r"\]\(([^)#]+)", TEXTS["README.md"]):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_package_index_shows_no_dead_links():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 is the first with tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = TEXTS["README.md"]
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for one in hook["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert targets
    assert all(target.startswith("https://") for target in targets)
    assert "[Start](docs/start.md)" in TEXTS["README.md"]
    assert "| Start |" in text


@pytest.mark.slow
def test_pages_run_from_an_installed_wheel(tmp_path):
    """Nothing of the repository is at hand but the texts of the pages."""
    pip = [sys.executable, "-m", "pip"]
    where = tmp_path / "installed"
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "-q", "--no-deps", "--target", where, wheel], check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(where),
        "PATH": f"{where / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MPLBACKEND": "agg",
    }
    ask = [sys.executable, "-c", "import crn_nn_tellurium as cn; print(cn.__file__)"]
    found = subprocess.run(ask, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert found.stdout.decode().startswith(str(where))
    run = [sys.executable, pages.__file__, *map(str, PAGES)]
    subprocess.run(run, cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize(
    "page",
    [
        "```python\nprint(1 + 1)  # 3\n```\n",
        "```python\nprint(1)\n```\n\nprints\n\n```text\n2\n```\n",
        "    crn-nn show xor\n\n```text\nnothing\n```\n",
    ],
)
def test_a_page_that_says_what_is_not_so_is_found(page, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(page)
    with pytest.raises(AssertionError, match=r"page.md:\d+.* says"):
        pages.run_page(path, in_this_process)
