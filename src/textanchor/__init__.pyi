"""Public names and their types; see `_public.py`."""

from textanchor.bench import Board as Board
from textanchor.bench import compare as compare
from textanchor.bench.board import Line as Line
from textanchor.bench.facts import Facts as Facts
from textanchor.bench.plan import Grid as Grid
from textanchor.bench.rerun import Repeat as Repeat
from textanchor.bench.rerun import rerun as rerun
from textanchor.budgeting import Budget as Budget
from textanchor.budgeting import Proposal as Proposal
from textanchor.budgeting import budget as budget
from textanchor.budgeting import next_pairs as next_pairs
from textanchor.collections import (
    Absence as Absence,
)
from textanchor.collections import (
    Collection as Collection,
)
from textanchor.collections import (
    Explanation as Explanation,
)
from textanchor.collections import (
    Index as Index,
)
from textanchor.collections import (
    Part as Part,
)
from textanchor.collections import (
    Query as Query,
)
from textanchor.collections import (
    RecallCard as RecallCard,
)
from textanchor.collections import (
    RecallRow as RecallRow,
)
from textanchor.collections import (
    SyncReport as SyncReport,
)
from textanchor.collections import (
    Tally as Tally,
)
from textanchor.collections import (
    Terms as Terms,
)
from textanchor.collections import (
    absence as absence,
)
from textanchor.collections import (
    build_index as build_index,
)
from textanchor.collections import (
    embed_collection as embed_collection,
)
from textanchor.collections import (
    encode_collection as encode_collection,
)
from textanchor.collections import (
    explain as explain,
)
from textanchor.collections import (
    recall_card as recall_card,
)
from textanchor.collections import (
    search as search,
)
from textanchor.data.pairs import read_pairs as read_pairs
from textanchor.data.samples import write_sample as write_sample
from textanchor.data.split_video import Taken as Taken
from textanchor.data.split_video import split_video as split_video
from textanchor.data.splits import Split as Split
from textanchor.data.splits import split as split
from textanchor.data.wording import Wording as Wording
from textanchor.data.wording import wording as wording
from textanchor.doctor import Diagnosis as Diagnosis
from textanchor.doctor import diagnose as diagnose
from textanchor.doctor.findings import Finding as Finding
from textanchor.errors import (
    AbstainedError as AbstainedError,
)
from textanchor.errors import (
    DamagedError as DamagedError,
)
from textanchor.errors import (
    InputError as InputError,
)
from textanchor.errors import (
    ItemError as ItemError,
)
from textanchor.errors import (
    LeakError as LeakError,
)
from textanchor.errors import (
    MissingError as MissingError,
)
from textanchor.errors import (
    NothingUsableError as NothingUsableError,
)
from textanchor.errors import (
    TextAnchorError as TextAnchorError,
)
from textanchor.errors import (
    UnknownNameError as UnknownNameError,
)
from textanchor.evaluation import Evaluation as Evaluation
from textanchor.evaluation import evaluate as evaluate
from textanchor.evaluation.report import write_report as write_report
from textanchor.interop.aligning import align as align
from textanchor.interop.aligning import vector_pairs as vector_pairs
from textanchor.interop.estimator import TextAligner as TextAligner
from textanchor.interop.hub import export_hub as export_hub
from textanchor.interop.hub import pull as pull
from textanchor.interop.hub import push as push
from textanchor.interop.mteb import MtebModel as MtebModel
from textanchor.interop.mteb import mteb_model as mteb_model
from textanchor.interop.onnx import export_onnx as export_onnx
from textanchor.interop.packing import Packed as Packed
from textanchor.interop.packing import pack as pack
from textanchor.interop.sentence_transformers import Exported as Exported
from textanchor.interop.sentence_transformers import export_sentence_transformers as export_sentence_transformers
from textanchor.judging import Difference as Difference
from textanchor.labelling.formats import ExportedLabels as ExportedLabels
from textanchor.labelling.formats import ImportedLabels as ImportedLabels
from textanchor.labelling.formats import export_labels as export_labels
from textanchor.labelling.formats import import_labels as import_labels
from textanchor.labelling.guarantee import Promise as Promise
from textanchor.labelling.project import Project as Project
from textanchor.labelling.reporting import write_label_report as write_label_report
from textanchor.progress import Bar as Bar
from textanchor.progress import Progress as Progress
from textanchor.progress import Silent as Silent
from textanchor.progress import Terminal as Terminal
from textanchor.records import (
    Choice as Choice,
)
from textanchor.records import (
    Clip as Clip,
)
from textanchor.records import (
    Fit as Fit,
)
from textanchor.records import (
    Hit as Hit,
)
from textanchor.records import (
    Hits as Hits,
)
from textanchor.records import (
    Item as Item,
)
from textanchor.records import (
    Pair as Pair,
)
from textanchor.records import (
    PairedLatents as PairedLatents,
)
from textanchor.records import (
    Pairs as Pairs,
)
from textanchor.records import (
    Pooled as Pooled,
)
from textanchor.records import (
    Ragged as Ragged,
)
from textanchor.records import (
    Series as Series,
)
from textanchor.records import (
    Single as Single,
)
from textanchor.records import (
    Skipped as Skipped,
)
from textanchor.records import (
    Task as Task,
)
from textanchor.records import (
    Unpaired as Unpaired,
)
from textanchor.records import (
    View as View,
)
from textanchor.records import (
    Waveform as Waveform,
)
from textanchor.runtime import Limits as Limits
from textanchor.runtime import Reading as Reading
from textanchor.runtime import Runtime as Runtime
from textanchor.runtime import Splitting as Splitting
from textanchor.space import Comparison as Comparison
from textanchor.space import Fitted as Fitted
from textanchor.space import Geometry as Geometry
from textanchor.space import Space as Space
from textanchor.space import Story as Story
from textanchor.space.classifying import classify as classify
from textanchor.space.embedded import Embedded as Embedded
from textanchor.space.fitting import fit as fit
from textanchor.space.starting import start as start
from textanchor.space.storage import load as load

__version__: str
__all__: list[str]
