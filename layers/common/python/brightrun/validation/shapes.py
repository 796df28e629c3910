"""The plain shape of a line in each format, as types that msgspec decodes straight into.

Texts stay `Raw`: they are neither unescaped nor copied.  So do the fields beside them, which
`asides` checks for many lines at once.  A line that does not fit, were it only for one unknown
field, is not wrong yet; it goes the slower way, which says what is the matter.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

# Metadata of bounded depth: what nests deeper goes the slower way, where depth is counted.
_Scalar = str | int | float | bool | None
_Flat = _Scalar | list[_Scalar]
_Nested = _Flat | dict[str, _Flat]
_Deeper = _Flat | dict[str, _Nested]
Metadata = dict[str, _Deeper]
Name = Annotated[str, Meta(pattern=r"\S")]


class MessageShape(Struct, forbid_unknown_fields=True, gc=False):
    """A message or a turn of a conversation line."""

    role: Literal["system", "user", "assistant"]
    content: Raw
    weight: Literal[0, 1] | UnsetType = UNSET


class MessagesShape(Struct, forbid_unknown_fields=True, gc=False, rename={"turns": "messages"}):
    """A `messages` line."""

    turns: list[MessageShape]
    metadata: Raw | UnsetType = UNSET


class ConversationShape(Struct, forbid_unknown_fields=True, gc=False):
    """A conversation line."""

    conversation_id: Raw
    turns: list[MessageShape]
    metadata: Raw | UnsetType = UNSET


class SpokenShape(
    Struct, forbid_unknown_fields=True, gc=False, rename={"role": "from", "content": "value"}
):
    """A turn of a ShareGPT record."""

    role: Literal["system", "human", "gpt"]
    content: Raw
    weight: Literal[0, 1] | UnsetType = UNSET


class ShareGptShape(
    Struct,
    forbid_unknown_fields=True,
    gc=False,
    rename={"turns": "conversations", "metadata": "id"},
):
    """A ShareGPT record."""

    turns: list[SpokenShape]
    metadata: Raw | UnsetType = UNSET


class HistoryShape(Struct, forbid_unknown_fields=True, gc=False):
    """An earlier turn of a v4 pair."""

    turn: Raw
    role: Literal["user", "assistant"]
    content: Raw
    emotional_state: Raw | UnsetType = UNSET


class V4Shape(Struct, forbid_unknown_fields=True, gc=False):
    """A v4 pair with all its ten fields."""

    id: Raw
    conversation_id: Name
    turn_number: Raw
    conversation_metadata: Raw
    system_prompt: Raw
    conversation_history: list[HistoryShape]
    current_user_input: Raw
    emotional_context: Raw
    target_response: Raw
    training_metadata: Raw


class AlpacaShape(Struct, forbid_unknown_fields=True, gc=False):
    """An Alpaca record without earlier exchanges."""

    instruction: Raw
    output: Raw
    input: Raw | UnsetType = UNSET
    system: Raw | UnsetType = UNSET
