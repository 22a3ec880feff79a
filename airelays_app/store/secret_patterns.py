"""What a credential or embedded data looks like inside text that may otherwise be written down."""

import hashlib
import re

_CREDENTIAL_WORDS = (
    "token|secret|password|passwd|api_?key|authorization|cookie|credentials?|private_?key"
    "|access_?key|bearer|code_verifier|signature|x_goog_api_key|client_assertion"
)
_CREDENTIAL_NAME = re.compile(rf"(?:^|_)(?:{_CREDENTIAL_WORDS})(?:$|_)")
_EXACT_CREDENTIAL_NAMES = frozenset({"key", "auth", "sig", "sas", "pat", "assertion", "passphrase"})
_DATA_NAMES = frozenset(
    "file_data b64_json partial_image_b64 encrypted_content data bytes image_base64".split()
)
_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_NAME_IN_TEXT = (
    r"[\w-]{0,40}(?:token|secret|password|passwd|api[_-]?key|authorization|cookie|credential"
    r"|private[_-]?key|access[_-]?key|code_verifier|signature)[\w-]{0,40}"
)
_PARAMETER_NAME = rf"(?:{_NAME_IN_TEXT}|key|auth|sig|code|state|pass)"
_DATA_URL = re.compile(r"data:[\w.+-]*/?[\w.+-]*(?:;[\w=.+-]*)*,[\w+/=%.~-]*", re.ASCII)
_LONG_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{60,}={0,2}(?:\r?\n|\\n)?){2,}", re.ASCII)

_CREDENTIALS = [
    (re.compile(pattern, re.ASCII | re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\b(bearer|basic)\s+[^\s\"',;<]{4,}", r"\1 <credential>"),
        (rf"((?:^|[?&;\s]){_PARAMETER_NAME}=)[^&\s\"'<]+", r"\1<credential>"),
        (
            rf"(\\*[\"']{_NAME_IN_TEXT}\\*[\"']\s*:\s*\\*[\"'])(?:[^\"'\\]|\\(?!\\*[\"']))+",
            r"\1<credential>",
        ),
        (rf"(^|\n)({_NAME_IN_TEXT}\s*:[ \t]*)[^\s<][^\r\n]*", r"\1\2<credential>"),
        (r"(://)[^/\s@\"']+@", r"\1<credential>@"),
    )
] + [
    (re.compile(pattern, re.ASCII), "<credential>")
    for pattern in (
        r"\b(?:sk|pk|rk|xai|gsk|ghp|gho|ghs|glpat|hf|AIza|ya29|xox[abp])[-_.][\w.-]{8,}",
        r"\bAIza[\w-]{20,}",
        r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?",
        r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*[0-9])[\w-]{32,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)",
    )
]


def is_credential_name(name: str) -> bool:
    """Tell whether a string under this field name is a credential."""
    plain = _snake_case(name)
    return plain in _EXACT_CREDENTIAL_NAMES or _CREDENTIAL_NAME.search(plain) is not None


def is_data_name(name: str) -> bool:
    """Tell whether a string under this field name is file data, an image or a sealed blob."""
    return _snake_case(name) in _DATA_NAMES


def without_secrets(text: str) -> str:
    """Return ``text`` with embedded data and what looks like a credential replaced."""
    text = _DATA_URL.sub(_data_mark, text)
    text = _LONG_BASE64.sub(_data_mark, text)
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    return text


def _snake_case(name: str) -> str:
    return _CAMEL_BOUNDARY.sub("_", name).replace("-", "_").lower()


def _data_mark(match: re.Match[str]) -> str:
    found = match.group()
    return f"<data {len(found)} sha256 {hashlib.sha256(found.encode()).hexdigest()}>"
