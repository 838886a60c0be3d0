"""Tables of numbers as loggers, spreadsheets, pandas and R write them: what is a channel, what the time, what counts rows."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textanchor.data.readers import reader
from textanchor.runtime import Limits

TWO = [[1.0, 2.0], [1.5, 2.5], [1.25, 2.25]]  # what most files of this module hold
THREE_AT_50 = ([[1.0], [2.0], [3.0]], 50.0)


def read(raw: str | bytes) -> tuple[list[list[float]], float | None]:
    """Values and rate, to six digits."""
    series = reader("series").read(io.BytesIO(raw.encode() if isinstance(raw, str) else raw), Limits())
    return series.values.round(6).tolist(), None if series.rate is None else round(series.rate, 6)


def rows(mark: str = ",", *, head: str = "", decimal: str = ".", end: str = "", first: tuple[str, ...] = ("", "", "")) -> str:
    """The rows of `TWO` below a heading, each with a first cell if one is given."""
    lines = [
        mark.join([*([lead] if lead else []), *(f"{number}".replace(".", decimal) for number in row)])
        for lead, row in zip(first, TWO, strict=True)
    ]
    return "".join(f"{line}{end}\n" for line in ([head] if head else []) + lines)


@pytest.mark.parametrize(
    "raw",
    [
        rows(),
        rows(";"),
        rows("\t", head="ax\tay"),
        rows("|", head="ax|ay"),
        rows(" "),
        rows("   "),
        rows("  ", head="ax  ay").replace("\n", "\n   "),
        rows(" \t "),
        rows(", ", head="ax, ay"),
        rows(" ; ", head="ax ; ay"),
        rows(";", decimal=","),
        rows("\t", decimal=",", head="ax\tay"),
        rows("  ", decimal=","),
        '"1,0","2,0"\n"1,5","2,5"\n"1,25","2,25"\n',
        rows(";", end=";"),
        rows(",", end=","),
        rows(",", end=";"),
        rows(",", end=";", head="ax,ay"),
        rows(",", end=",", head="ax,ay,"),
        rows(";", end=";;", head="ax;ay"),
        rows("\t", end="\t"),
        rows(" ", end=" "),
        "# a logger\n# of the year 2024\n" + rows(head="ax,ay"),
        "# ax ay\n" + rows(" "),
        "% matlab\n" + rows("\t"),
        rows(head="ax,ay").replace("1.5", "# restarted\n1.5"),
        "\n\n" + rows(head="ax,ay") + "\n\n",
        rows(head="ax,ay").replace("\n", "\r\n"),
        rows(head="ax,ay").replace("\n", "\r"),
        "\ufeff" + rows(head="ax,ay"),
        rows(head="ax,ay").encode("utf-16"),
        rows(head="ax (m/s²),ay (°)").encode("latin-1"),
        rows(head='"ax","ay"'),
        rows(head="ax,ay\n[g],[g]"),
        rows(head="0,1"),
        rows().replace("1.", "+1."),
        rows(head="ax,ay").replace("1.5", "1.5e0"),
    ],
)
def test_two_channels_however_they_are_written(raw: str | bytes) -> None:
    assert read(raw) == (TWO, None)


@pytest.mark.parametrize(
    ("head", "first"),
    [
        (",ax,ay", ("0", "1", "2")),
        ("Unnamed: 0,ax,ay", ("0", "1", "2")),
        ("Unnamed: 0.1,ax,ay", ("7", "8", "9")),
        (",ax,ay", ("3", "8", "21")),  # rows were chosen before they were written
        ('"",ax,ay', ('"1"', '"2"', '"3"')),
        (",0,1", ("0", "1", "2")),
        ("index,ax,ay", ("0", "1", "2")),
        ("Sample Number,ax,ay", ("100", "101", "102")),
        ("ax,ay", ("1", "2", "3")),  # R writes names of rows without a heading
        ("", ("0", "1", "2")),
        ("#,ax,ay", ("1", "2", "3")),
    ],
)
def test_a_column_that_counts_the_rows_is_no_channel(head: str, first: tuple[str, ...]) -> None:
    assert read(rows(head=head, first=first)) == (TWO, None)
    if head != "#,ax,ay":
        assert read(rows(";", head=head.replace(",", ";"), first=first)) == (TWO, None)


def test_two_indexes_and_an_index_of_parquet() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert read("Unnamed: 0.1,Unnamed: 0,x\n0,0,1.5\n1,1,2.5\n") == ([[1.5], [2.5]], None)
    out = io.BytesIO()
    pq.write_table(pa.table({"x": [1.5, 2.5, 0.5], "__index_level_0__": [4, 5, 9]}), out)
    assert read(out.getvalue()) == ([[1.5], [2.5], [0.5]], None)


def test_what_is_measured_stays_a_channel() -> None:
    assert read("x,y\n0,5\n1,5\n2,5\n")[0] == [[0, 5], [1, 5], [2, 5]], "a ramp with a name of its own"
    assert read("0\n1\n2\n")[0] == [[0], [1], [2]], "a lone column"
    assert read("Unnamed: 0\n0\n1\n2\n")[0] == [[0], [1], [2]]
    assert read("index,x\n5,1\n3,2\n4,1\n")[0] == [[5, 1], [3, 2], [4, 1]], "an index of something else"
    assert read("0,1\n1,1\n")[0] == [[0, 1], [1, 1]], "two rows are too few to tell"
    assert read("a,b,c\n1,2,\n3,4,\n")[0] == [[1, 2, 0], [3, 4, 0]], "an empty channel with a name"
    assert read("1;2;\n4;5;6\n")[0] == [[1, 2, 6], [4, 5, 6]]
    assert read("time,t\n0,20.5\n1,19.5\n")[0] == [[20.5], [19.5]], "a temperature beside the time"


def test_a_temperature_is_no_time() -> None:
    assert read("T,RH\n20.5,40\n21.5,41\n19.5,42\n") == ([[20.5, 40], [21.5, 41], [19.5, 42]], None)
    assert read("T,RH\n20,40\n21,41\n22,42\n") == ([[20, 40], [21, 41], [22, 42]], None), "one that rises"
    assert read("time,T\n0,20\n1,21\n2,22\n") == ([[20], [21], [22]], 1.0)
    for head in ("t", "ts", "T_min", "T_s"):
        assert read(f"{head},RH\n20,40\n22,41\n19,42\n") == ([[20, 40], [22, 41], [19, 42]], None)
        assert read(f"{head},RH\n20,40\n20,41\n20,42\n")[0] == [[20, 40], [20, 41], [20, 42]], "one that stays"
    assert read("t,time,x\n20,0,1\n23,0.02,2\n24,0.04,3\n") == THREE_AT_50, "the surer name is taken"
    with pytest.raises(ValueError, match="time goes backwards at row 3"):
        read("t [s],x\n0,1\n2,1\n1,1\n")


@pytest.mark.parametrize(
    "head",
    ["Time (s)", "time [s]", "Time_s", "time", "TIME", " Time ", "time/s", "t", "t (sec)",
     "seconds", "seconds_elapsed", "Timestamp", "timestamp [seconds]", "elapsed (s)", "Time {s}", "Time in s",
     "TimeSec", "Zeit [s]"],
)  # fmt: skip
def test_a_time_in_seconds_by_any_name(head: str) -> None:
    assert read(f"{head},x (g)\n0,1\n0.02,2\n0.04,3\n") == THREE_AT_50
    assert read(f"x (g);{head}\n1;0\n2;0,02\n3;0,04\n") == THREE_AT_50, "wherever it stands"


@pytest.mark.parametrize(
    ("head", "step"),
    [("time_ms", 20), ("time [ms]", 20), ("Time (milliseconds)", 20), ("timeMs", 20), ("millis", 20), ("timestamp_ms", 20),
     ("Time (µs)", 20_000), ("time_us", 20_000), ("timestamp [us]", 20_000), ("timestamp_ns", 20_000_000),
     ("Time [ns]", 20_000_000),
     ("Time (min)", 1 / 3000), ("time_h", 1 / 180_000)],
)  # fmt: skip
def test_a_time_in_another_unit(head: str, step: float) -> None:
    assert read(f"{head},x\n0,1\n{step:.16f},2\n{2 * step:.16f},3\n") == THREE_AT_50


def test_a_unit_in_a_line_of_its_own() -> None:
    assert read("Time;acc\nms;m/s²\n0;1\n20;2\n40;3\n") == THREE_AT_50
    assert read("time acc\n(ms) (g)\n0 1\n20 2\n40 3\n") == THREE_AT_50


@pytest.mark.parametrize("unit", [1, 1000, 10**6, 10**9])
def test_epochs_tell_their_unit_by_their_size(unit: int) -> None:
    start = 1_700_000_000 * unit
    assert read("timestamp,x\n" + "".join(f"{start + 2 * k * unit},{k + 1}\n" for k in range(3))) == ([[1], [2], [3]], 0.5)


@pytest.mark.parametrize(
    "moments",
    [
        ("2024-01-31 23:59:59.98", "2024-02-01 00:00:00.00", "2024-02-01 00:00:00.02"),
        ("2024-01-31T23:59:59.98Z", "2024-02-01T00:00:00.00Z", "2024-02-01T00:00:00.02Z"),
        ("2024-01-31T23:59:59.98+01:00", "2024-02-01T00:00:00.00+01:00", "2024-02-01T00:00:00.02+01:00"),
        ("2024/01/31 23:59:59.98", "2024/02/01 00:00:00.00", "2024/02/01 00:00:00.02"),
        ("31.01.2024 23:59:59.98", "01.02.2024 00:00:00.00", "01.02.2024 00:00:00.02"),
        ("01/31/2024 23:59:59.98", "02/01/2024 00:00:00.00", "02/01/2024 00:00:00.02"),
        ("31/01/2024 23:59:59.98", "01/02/2024 00:00:00.00", "01/02/2024 00:00:00.02"),
        ("02/05/2024 23:59:59.98", "02/06/2024 00:00:00.00", "02/06/2024 00:00:00.02"),
        ("05/02/2024 23:59:59.98", "06/02/2024 00:00:00.00", "06/02/2024 00:00:00.02"),
        ("1/31/24 11:59:59.98 PM", "2/1/24 12:00:00.00 AM", "2/1/24 12:00:00.02 AM"),
        ("31-Jan-2024 23:59:59.98", "01-Feb-2024 00:00:00.00", "01-Feb-2024 00:00:00.02"),
        ("20240131 23:59:59.98", "20240201 00:00:00.00", "20240201 00:00:00.02"),
        ("23:59:59.98", "00:00:00.00", "00:00:00.02"),
        ("59:59.98", "60:00.00", "60:00.02"),
        ("10:00:00:000", "10:00:00:020", "10:00:00:040"),
    ],
)
def test_dates_and_times_of_day(moments: tuple[str, ...]) -> None:
    for head in ("Time", "", "recorded at"):
        assert read(f"{head},x\n" + "".join(f"{moment},{k + 1}\n" for k, moment in enumerate(moments))) == THREE_AT_50
    german = "".join(
        f"{moment.replace('.9', ',9').replace('.0', ',0') if moment.count('.') == 1 else moment};{k + 1},0\n"
        for k, moment in enumerate(moments)
    )
    assert read("Zeit;x\n" + german) == THREE_AT_50


@pytest.mark.parametrize(
    ("moments", "step"),
    [
        (("20240228", "20240229", "20240301"), 86400),
        (("20231231", "20240101", "20240102"), 86400),
        (("202402292359", "202403010000", "202403010001"), 60),
        (("20240229235959", "20240301000000", "20240301000001"), 1),
    ],
)
def test_dates_as_whole_numbers(moments: tuple[str, ...], step: int) -> None:
    for head in ("date", "timestamp", "time"):
        text = f"{head},x\n" + "".join(f"{moment},{k + 1}\n" for k, moment in enumerate(moments))
        assert read(text) == ([[1], [2], [3]], round(1 / step, 6))
    with pytest.raises(ValueError, match="row 2 has no time"):
        read(f"date,x\n{moments[0]},1\n,2\n{moments[2]},3\n")


def test_whole_numbers_that_are_no_dates_are_seconds() -> None:
    assert read("time,x\n20240230,1\n20240231,2\n20240232,3\n") == ([[1], [2], [3]], 1.0)
    assert read("time [ms],x\n20240228,1\n20240229,2\n20240230,3\n") == ([[1], [2], [3]], 1000.0)
    assert read("date;time;x\n20240229;23:59:00;1\n20240301;00:00:00;2\n20240301;00:01:00;3\n")[1] == round(1 / 60, 6)


def test_a_date_and_a_time_of_day_in_two_columns() -> None:
    lines = (("16/12/2006", "23:59:00"), ("17/12/2006", "00:00:00"), ("17/12/2006", "00:01:00"))
    for mark in ";\t ":
        text = f"Date{mark}Time{mark}x\n" + "".join(
            f"{day}{mark}{clock}{mark}{k + 1}.5\n" for k, (day, clock) in enumerate(lines)
        )
        assert read(text) == ([[1.5], [2.5], [3.5]], round(1 / 60, 6))


def test_dates_alone_and_several_times() -> None:
    assert read("day,x\n2024-02-28,1\n2024-02-29,2\n2024-03-01,3\n") == ([[1], [2], [3]], round(1 / 86400, 6))
    lines = "".join(f"{1_700_000_000_000 + 20 * k},2023-11-14 22:13:20,{k * 0.02},{k + 1}\n" for k in range(3))
    assert read("epoch (ms),time (-13:00),elapsed (s),x-axis (g)\n" + lines) == THREE_AT_50


def test_moments_too_coarse_to_tell_rows_apart_still_tell_the_rate() -> None:
    lines = "".join(f"2024-01-01 00:00:0{(k + 2) // 4},{k}\n" for k in range(18))
    assert read("time,x\n" + lines) == ([[k] for k in range(18)], 4.0)


def test_an_index_of_moments_without_a_name() -> None:
    assert read(",x\n0.00,1\n0.02,2\n0.04,3\n") == THREE_AT_50
    assert read("Unnamed: 0,x\n2024-01-01 00:00:00.00,1\n2024-01-01 00:00:00.02,2\n2024-01-01 00:00:00.04,3\n") == THREE_AT_50


@pytest.mark.parametrize("word", ["", "NA", "N/A", "nan", "NaN", "NULL", "None", "-", "?", "inf", "-Inf", "#N/A", "Infinity"])
def test_missing_values_are_interpolated(word: str) -> None:
    assert read(f"x,y\n1.5,1\n{word},2\n2.5,3\n")[0] == [[1.5, 1], [2, 2], [2.5, 3]]


def test_what_changes_its_kind_late_is_read() -> None:
    long = "x,y\n" + "1,2\n" * 400_000 + "1.5,2.5\n"
    assert read(long)[0][-1] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("33,Jogging,49,-0.69;\n33,Jogging,50,5.01;\n", "holds string, expected numbers"),
        ("x,y\n1,2\n1,two\n", "column 'y' holds string"),
        ("time,x\n0,1\n,2\n", "row 2 has no time"),
        ("# nothing\n", "no numbers"),
        ("a,b,c,d\n1,2\n3,4\n", "4 headings above 2 columns"),
        ("time\n1\n2\n", "0 channels beside the time"),
    ],
)
def test_what_is_no_table_of_numbers_says_why(raw: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(raw)


@pytest.mark.parametrize("head", ["time,value\n", "time, value\n", "", "a,b\n"])
def test_a_short_row_makes_no_decimals_of_commas(head: str) -> None:
    with pytest.raises(ValueError, match="Expected 2 columns, got 1: 800"):
        read(f"{head}0,500\n20,501\n40,502\n800\n")
    with pytest.raises(ValueError, match="Expected 2 columns, got 1: 800"):
        read(f"{head}0,500\n20,501\n800\n60,503\n")
    assert read(f"{head}0,500\n20,501\n40,\n60,503\n")[0][-1][-1] == 503, "a missing value is no short row"


def test_decimal_commas_in_one_column_and_commas_in_headings() -> None:
    assert read("Temp\n1,5\n2,5\n4\n")[0] == [[1.5], [2.5], [4]]
    assert read("Acceleration, g\n1.5\n2.5\n")[0] == [[1.5], [2.5]]
    assert read("Zeit [s];Temp, außen\n0;1,5\n0,02;2,5\n0,04;4\n") == ([[1.5], [2.5], [4]], 50.0)
    assert read("Time, s\tTemp, C\n0\t1,5\n0,02\t2,5\n0,04\t4\n") == ([[1.5], [2.5], [4]], 50.0)


def test_a_folder_of_series_is_fitted_from_the_command_line(tmp_path: Path, run: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    for kind, pace in (("walking", 2), ("running", 6)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for number in range(8):
            wave = np.sin(pace * 0.02 * np.arange(100) * 6.28) + rng.normal(0, 0.1, 100)
            lines = [f"{k};{20 * k};{value:.4f}".replace(".", ",") for k, value in enumerate(wave)]
            (tmp_path / "data" / kind / f"{number}.csv").write_text("\n".join([";Time [ms];acc_x (g)", *lines]))
    done = run("fit", tmp_path / "data", "-o", tmp_path / "space", "--modality", "series", "--aligner", "ridge")
    assert done.exit_code == 0, done.stderr
    assert "skipped" not in done.stderr
