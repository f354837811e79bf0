"""`ebnn bench`: a row for each product and layer, beside NumPy in the same run; whole networks."""

import json
import platform
import time

import pytest
from click.testing import CliRunner

from ebnn.cli import main
from ebnn.compile.linux.timing import PRODUCTS, WORK, Work, fastest

FOREIGN = "avx2" if platform.machine() == "aarch64" else "neon"


def bench(tmp_path, *options):
    done = CliRunner().invoke(main, ["bench", "--seconds", "0.01", *options, "--json", str(tmp_path / "bench.json")])
    assert done.exit_code == 0, done.output
    return done.output, json.loads((tmp_path / "bench.json").read_text())


def test_products_beside_numpy(tmp_path):
    output, values = bench(tmp_path, "--quick", "--product", "bits-bits", "--product", "uint8-int8", "--threads", "2")
    rows = values["timings"]
    assert [(row["values"], row["weights"]) for row in rows] == [("bits", "bits")] * 2 + [("uint8", "int8")] * 2
    for row in rows:
        assert row["layer"] in output
        assert row["ratio"] == pytest.approx(row["gops"] / row["numpy_gops"])
    conv = rows[0]
    assert conv["layer"] == "3×3 256→256, 16×16"
    assert conv["gops"] * conv["seconds"] * 1e9 == pytest.approx(2 * 16 * 16 * 9 * 256 * 256)


def test_a_network(tmp_path):
    output, values = bench(tmp_path, "mnist-tiny", "--path", "portable")
    assert values["path"] == "portable"
    assert values["ratio"] == pytest.approx(values["compiled"] / values["interpreted"])
    assert f"{values['compiled']:,.0f} images a second compiled" in output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["mnist-tiny", "--quick"], "--quick has no effect here"),
        (["--path", FOREIGN, "--quick"], "this core does not run the path"),
        (["no-such"], "no-such"),
    ],
)
def test_what_cannot_be_timed_is_one_line(options, said):
    done = CliRunner().invoke(main, ["bench", *options])
    assert done.exit_code == 1
    assert said in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_every_layer_can_be_built_for_every_product():
    for values, weights in PRODUCTS:
        for work in WORK:
            layer = work.network(values, weights).layers[0]
            assert (layer.kind.name, str(layer.weight_kind)) == (values, weights)
            assert 2 * layer.macs * work.samples == work.operations
            assert (work.rows, work.taps) == (work.samples * layer.map_shape.height * layer.map_shape.width, layer.taps)


def test_the_fastest_call_counts():
    waits = iter([0.03, 0.03, 0.002, *[0.03] * 100])
    [found] = fastest([lambda: time.sleep(next(waits))], 0.05)
    assert 0.002 <= found < 0.03
    assert str(Work(4096, 1024, samples=64)) == "dense 4096→1024, 64 samples"
