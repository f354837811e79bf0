"""The library's folder, as a part of other build systems' projects."""

import json
import re
import subprocess

import pytest
from support.c_networks import RUNTIME, require
from test_header_files import MAIN, A, B, check
from test_network import three_layers

from ebnn.compile import header_text

LIBRARY = RUNTIME.parent
C_PROJECT = f"""\
cmake_minimum_required(VERSION 3.13)
project(app LANGUAGES {{languages}})
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${{{{CMAKE_BINARY_DIR}}}})
add_subdirectory({LIBRARY} ebnn)
add_library(filling STATIC a.{{ext}})
target_include_directories(filling PRIVATE ${{{{CMAKE_CURRENT_SOURCE_DIR}}}})
target_link_libraries(filling PRIVATE ebnn::ebnn)
add_executable(program main.{{ext}} b.{{ext}})
target_compile_options(program PRIVATE -Wall -Wextra -Werror)
target_link_libraries(program PRIVATE filling ebnn)
"""


def cmake(folder, *options):
    """Configures and builds what is in ``folder``."""
    for command in (["-S", folder, "-B", folder / "build", *options], ["--build", folder / "build"]):
        done = subprocess.run([require("cmake"), *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Warning" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize(("languages", "ext"), [("C", "c"), ("CXX", "cpp")])
def test_cmake(languages, ext, tmp_path):
    """A program and a static library include the header; they share the arena. The project need not know C."""
    require("gcc")
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net"))
    for name, text in (("a", A), ("b", B), ("main", MAIN)):
        (tmp_path / f"{name}.{ext}").write_text(
            text.format(way="", external="extern " if ext == "c" else 'extern "C" ')
        )
    (tmp_path / "CMakeLists.txt").write_text(C_PROJECT.format(languages=languages, ext=ext))
    cmake(tmp_path, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_{languages}_COMPILER={'gcc' if ext == 'c' else 'g++'}")
    check(tmp_path / "build/program")


def configured(folder, prelude):
    """What the library's CMakeLists.txt prints where the functions of ``prelude`` are those of another system."""
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app LANGUAGES NONE)\n"
        f"{prelude}\nadd_subdirectory({LIBRARY} ebnn)\n"
    )
    command = [require("cmake"), "-S", folder, "-B", folder / "build"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_esp_idf(tmp_path):
    """The function is ESP-IDF's in name only: it prints what it is given."""
    function = 'function(idf_component_register)\nmessage(STATUS "component ${ARGV}")\nendfunction()'
    assert "component INCLUDE_DIRS;src\n" in configured(tmp_path, f"set(ESP_PLATFORM 1)\n{function}")


@pytest.mark.parametrize("chosen", [True, False])
def test_zephyr(chosen, tmp_path):
    """The function is Zephyr's in name only; module.yml and Kconfig name what there is."""
    function = 'function(zephyr_include_directories)\nmessage(STATUS "module ${ARGV}")\nendfunction()'
    option = "set(CONFIG_EBNN y)\n" if chosen else ""
    assert ("module src\n" in configured(tmp_path, f"set(ZEPHYR_BASE /zephyr)\n{option}{function}")) == chosen
    module = dict(re.findall(r"^ *(\w+): (\S+)$", (LIBRARY / "zephyr/module.yml").read_text(), re.MULTILINE))
    assert module["name"] == "ebnn"
    assert (LIBRARY / module["cmake"] / "CMakeLists.txt").is_file()
    assert re.search(r"^config EBNN\n\tbool \"", (LIBRARY / module["kconfig"]).read_text(), re.MULTILINE)


def test_the_arduino_ide_and_platformio_take_it():
    """The files that they require, which agree."""
    lines = (LIBRARY / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    fields = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert properties.keys() >= fields
    assert all(properties[field] for field in fields)
    library = json.loads((LIBRARY / "library.json").read_text())
    assert {field: library[field] for field in ("name", "version")} == {
        field: properties[field] for field in ("name", "version")
    }
    words = [line.split("\t") for line in (LIBRARY / "keywords.txt").read_text().splitlines() if line[:1] not in "#"]
    assert words
    assert all(len(word) == 2 and word[1] in ("KEYWORD1", "KEYWORD2", "LITERAL1") for word in words)
