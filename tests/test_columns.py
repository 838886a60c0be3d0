"""What columns mean by their names."""

from __future__ import annotations

import pytest

from textanchor.data.tables.columns import chosen, modality_of, squeezed, unique
from textanchor.errors import InputError


@pytest.mark.parametrize(
    ("names", "path", "text"),
    [
        (("path", "text"), "path", "text"),
        (("Image", "Caption"), "Image", "Caption"),
        (("File Name", "Label"), "File Name", "Label"),
        (("filePath", "class_name", "class"), "filePath", "class_name"),
        (("audio", "transcription"), "audio", "transcription"),
        (("image_name", " comment_number", " comment"), "image_name", " comment"),
        (("filename", "fold", "target", "category"), "filename", "category"),
        (("client_id", "path", "sentence", "age"), "path", "sentence"),
        (("video", "Description"), "video", "Description"),
    ],
)
def test_names_in_use_are_known(names: tuple[str, ...], path: str, text: str) -> None:
    found = chosen(names)
    assert (found.paths, found.texts) == ((path,), (text,))
    assert set(found.unused) == set(names) - {path, text}


def test_columns_may_be_named_exactly_alike_by_number_or_with_a_field() -> None:
    names = ("id", "breed", "Breed", "info")
    assert chosen(names, path=["id"], text=["Breed"]).texts == ("Breed",)
    assert chosen(names, path=["ID"], text=["BREED"]).texts == ("breed", "Breed")
    assert chosen(names, path=["1"], text=["2", "info.en"]).texts == ("breed", "info.en")
    with pytest.raises(InputError, match="--text-column race: no such column; there are `id`, `breed`"):
        chosen(names, text=["race"])


def test_of_several_captions_each_is_a_text_and_of_two_paths_none() -> None:
    assert chosen(("image", "caption_1", "caption_2", "note")).texts == ("caption_1", "caption_2")
    assert chosen(unique(("path", "text", "text"))).described() == "path from `path`, text from `text` and `text`"
    with pytest.raises(InputError, match="the column `path` stands 2 times"):
        chosen(unique(("path", "path", "text")))
    with pytest.raises(InputError, match="the column `Split` stands 2 times"):
        chosen(("path", "Split", "split"))


def test_a_text_with_a_class_is_an_item() -> None:
    found = chosen(("text", "label"))
    assert (found.item_text, found.texts, found.paths) == ("text", ("label",), ())
    assert chosen(("text",)).item_text is None


def test_a_column_that_holds_the_item_comes_before_one_that_names_it() -> None:
    names = ("file_name", "image", "text")
    assert chosen(names).paths == ("file_name",)
    assert chosen(names, holding={"image": ""}).paths == ("image",)
    assert (modality_of("Image"), modality_of("wav_path"), modality_of("file")) == ("image", "audio", None)
    assert squeezed("File-Name") == squeezed("file name") == squeezed("FileName")
