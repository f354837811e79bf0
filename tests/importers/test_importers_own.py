"""An importer of the user's own: one Python file, by its path or in the folder that EBNN_IMPORTERS names."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import ebnn
from ebnn.cli import main
from ebnn.errors import FileFormatError, InputError, UnknownNameError
from ebnn.importers import import_network

OWN = """
import ebnn

def recognises(head):
    return head.startswith(b"NETWORK:")

def read(path):
    return ebnn.load(path.read_text().split(":")[1].strip())
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "named.py").write_text(OWN)
    (tmp_path / "net.txt").write_text("NETWORK: mnist-bits\n")
    return tmp_path


def test_an_importer_by_its_path_or_by_the_files_content(folder, monkeypatch):
    wanted = ebnn.load("mnist-bits")
    assert import_network(folder / "net.txt", str(folder / "named.py")).network == wanted
    with pytest.raises(FileFormatError, match="is no header that eBNN generated"):
        import_network(folder / "net.txt")
    monkeypatch.setenv("EBNN_IMPORTERS", str(folder))
    assert import_network(folder / "net.txt").network == wanted
    assert import_network(folder / "net.txt", "named").network == wanted
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, ["import", "net.txt", "-o", "net.ebnn"])
    assert result.exit_code == 0, result.output
    assert ebnn.load("net.ebnn") == wanted
    result = CliRunner().invoke(main, ["import", "net.txt", "-o", "net.ebnn", "--importer", "nemad"])
    assert "no importer is called 'nemad'" in result.output


def test_what_is_wrong_is_one_line(folder, monkeypatch):
    own = str(folder / "named.py")
    with pytest.raises(InputError, match="the importer named has no option shape"):
        import_network(folder / "net.txt", own, shape=(1, 2, 3))
    with pytest.raises(UnknownNameError, match="no importer is called 'ebnn_heder', did you mean ebnn_header"):
        import_network(folder / "net.txt", "ebnn_heder")
    for text, message in (
        ("def recognises(head): return True", r"has no function read\(\)"),
        ("def recognises(head): return 1 / 0\ndef read(path): pass", "fails on line 1: ZeroDivisionError"),
        ("def recognises(head): return True\ndef read(path): pass", r"read\(\) returns NoneType"),
        ("import nowhere_at_all", "fails on line 1: ModuleNotFoundError"),
    ):
        (folder / "named.py").write_text(text)
        monkeypatch.setenv("EBNN_IMPORTERS", str(folder))
        with pytest.raises(FileFormatError, match=message) as caught:
            import_network(folder / "net.txt")
        assert len(str(caught.value).splitlines()) == 1
    monkeypatch.setenv("EBNN_IMPORTERS", str(folder / "nowhere"))
    with pytest.raises(FileFormatError, match="EBNN_IMPORTERS names"):
        import_network(folder / "net.txt")
    monkeypatch.delenv("EBNN_IMPORTERS")
    (folder / "net.bin").write_bytes(b"\0\1")
    with pytest.raises(FileFormatError, match=r"no importer recognises it; there are .*ebnn_header"):
        import_network(folder / "net.bin")
