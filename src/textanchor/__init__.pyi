"""Public names and their types; see `_public.py`."""

from textanchor.bench import Board as Board, compare as compare
from textanchor.bench.board import Line as Line
from textanchor.bench.plan import Grid as Grid
from textanchor.bench.rerun import Repeat as Repeat, rerun as rerun
from textanchor.collections import (
    Hit as Hit,
    Index as Index,
    Tally as Tally,
    build_index as build_index,
    embed_collection as embed_collection,
    encode_collection as encode_collection,
    search as search,
)
from textanchor.data.pairs import read_pairs as read_pairs
from textanchor.data.samples import write_sample as write_sample
from textanchor.data.split_video import split_video as split_video
from textanchor.data.splits import Split as Split, split as split
from textanchor.data.wording import Wording as Wording, wording as wording
from textanchor.doctor import Diagnosis as Diagnosis, diagnose as diagnose
from textanchor.doctor.findings import Finding as Finding
from textanchor.errors import (
    DamagedError as DamagedError,
    InputError as InputError,
    ItemError as ItemError,
    LeakError as LeakError,
    MissingError as MissingError,
    NothingUsableError as NothingUsableError,
    TextAnchorError as TextAnchorError,
    UnknownNameError as UnknownNameError,
)
from textanchor.evaluation import Evaluation as Evaluation, evaluate as evaluate
from textanchor.evaluation.report import write_report as write_report
from textanchor.progress import Bar as Bar, Progress as Progress, Silent as Silent, Terminal as Terminal
from textanchor.records import (
    Choice as Choice,
    Clip as Clip,
    Fit as Fit,
    Item as Item,
    Pair as Pair,
    PairedLatents as PairedLatents,
    Pairs as Pairs,
    Pooled as Pooled,
    Ragged as Ragged,
    Series as Series,
    Single as Single,
    Skipped as Skipped,
    Task as Task,
    Unpaired as Unpaired,
    View as View,
    Waveform as Waveform,
)
from textanchor.runtime import Limits as Limits, Runtime as Runtime, Splitting as Splitting
from textanchor.space import Comparison as Comparison, Fitted as Fitted, Geometry as Geometry, Space as Space, Story as Story
from textanchor.space.embedded import Embedded as Embedded
from textanchor.space.fitting import fit as fit
from textanchor.space.storage import load as load

__version__: str
__all__: list[str]
