"""The languages that conversations can be written in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

ENGLISH = "en"
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    ENGLISH: "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""The names of the languages by their ISO 639-1 codes."""
Language = Annotated[
    str,
    StringConstraints(pattern=f"^({'|'.join(LANGUAGES)})$", max_length=2),
    Field(description="ISO 639-1, such as de. Checks that read English judge no other language."),
]
