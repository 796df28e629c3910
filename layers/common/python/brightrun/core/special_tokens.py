"""Special tokens of chat models as text.

In a text that is trained on they do not stand for themselves: a tokenizer reads them as the end of
a turn, or as another role.
"""

SPECIAL_TOKENS = (
    r"<\|[A-Za-z0-9_ ]{1,40}\|>|<｜[^<>]{1,40}｜>|\[\\?/?INST\]|<<\\?/?SYS>>|<\\?/?s>"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
)
"""A regular expression of the tokens that the validator of datasets looks for; a slash may be
escaped, as in raw JSON. Linear in Rust's and in Python's engine."""

MORE_SPECIAL_TOKENS = (
    r"<\|[^|<>\n]{1,60}\|>|<｜[^<>\n]{1,60}｜>"
    r"|\[/?(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT|gMASK|MASK|CLS|SEP|PAD|UNK|BOS"
    r"|EOS|IMG)\]"
    r"|</?(?:start_of_image|end_of_image|end_of_utterance|end_of_text|endoftext|tool_call"
    r"|tool_response|mask|cls|sep|sop|eop|eot|eoh|eoa|image_soft_token|fim_prefix|fim_suffix"
    r"|fim_middle|BOS_TOKEN|EOS_TOKEN|seed:\w{1,20}|extra_id_\d{1,4}|unused\d{1,4}"
    r"|reserved_\d{1,4})>"
    r"|(?m:^### ?(?:Instruction|Response|Human|Assistant|User|System):)"
)
"""More of them: rarer tokens, and the headings of Alpaca's and Vicuna's templates. The validator
does without: its speed hangs on a few literal needles."""
