"""The doctor: what a careful colleague would say of pairs before anything is trained on them."""

from textanchor.doctor.diagnose import diagnose
from textanchor.doctor.diagnosis import Diagnosis
from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding

__all__ = ["Diagnosis", "Examined", "Finding", "diagnose"]
