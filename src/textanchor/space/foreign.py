"""Texts that fit no item of any collection: by them a space knows how high a query scores that asks for nothing it holds."""

from __future__ import annotations

import numpy as np

SENTENCES = (
    "the annual report must be filed before the end of the second quarter",
    "a theorem is proved by contradiction in three steps",
    "the subjunctive is used after certain conjunctions",
    "inflation expectations remained anchored over the medium term",
    "the tenant shall give notice in writing two months in advance",
    "every continuous function on a closed interval attains its maximum",
    "epistemic humility is a virtue of careful inquiry",
    "the committee adopted the amendment without a vote",
    "customs duties are levied on the declared value",
    "this function returns none if the key is missing",
    "the parliament ratified the treaty after a long debate",
    "gross domestic product fell for the third consecutive quarter",
    "free will and determinism may be compatible",
    "the warranty expires twenty four months after delivery",
    "an eigenvalue of a symmetric matrix is real",
    "please confirm receipt of this message by return",
    "the defendant was acquitted on all counts",
    "supply chains are subject to regulatory oversight",
    "nouns of the third declension end in a consonant",
    "shareholders approved the merger at the general meeting",
    "the algorithm runs in logarithmic time",
    "insurance premiums depend on the assessed risk",
    "a paradox of self reference undermines naive set theory",
    "the deadline for applications has been extended",
    "cultural memory is transmitted from generation to generation",
    "the interest accrues daily and is credited monthly",
    "the statute of limitations had already expired",
    "the variance of a sum of independent variables is additive",
    "our privacy policy has been updated",
    "the minister declined to comment on the negotiations",
    "justice delayed is justice denied",
    "the password must contain at least twelve characters",
    "the subsidiary is consolidated in the group accounts",
    "moral obligations cannot be derived from facts alone",
    "the survey had a response rate of forty percent",
    "the compiler reports an undefined reference",
    "monthly subscriptions are renewed automatically",
    "the electoral threshold was lowered to three percent",
    "the invoice number must be quoted on all correspondence",
    "causation cannot be inferred from correlation",
    "the court of appeal dismissed the claim with costs",
    "unemployment benefits are paid for up to one year",
    "a monoid with inverses is called a group",
    "the agenda was circulated a week before the meeting",
    "the exchange rate is determined by market expectations",
    "translation always involves interpretation",
    "the licence permits redistribution under certain conditions",
    "the hypothesis was rejected at the five percent level",
    "travel expenses are reimbursed upon presentation of receipts",
    "the constitution guarantees freedom of association",
    "SELECT count(*) FROM orders WHERE status = 'open'",
    "def main(argv): return parse(argv) or exit(2)",
    "https://example.org/index.php?id=42&lang=en",
    "error 0x80070057: the parameter is incorrect",
    "re: fwd: minutes of last week",
    "yes", "maybe later", "nothing", "why", "however",
)  # fmt: skip
WORDS, LETTERS = 60, 30  # texts of made-up words, and of letters and digits
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def foreign() -> list[str]:
    """Sentences about what cannot be seen or heard, made-up words, and letters at random; always the same."""
    rng = np.random.default_rng(0)

    def word() -> str:
        return "".join(rng.choice(list(_CONSONANTS)) + rng.choice(list(_VOWELS)) for _ in range(rng.integers(2, 5)))

    def letters() -> str:
        return "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), size=rng.integers(3, 9)))

    made = [" ".join(word() for _ in range(rng.integers(1, 6))) for _ in range(WORDS)]
    random = [" ".join(letters() for _ in range(rng.integers(1, 4))) for _ in range(LETTERS)]
    return [*SENTENCES, *made, *random]
