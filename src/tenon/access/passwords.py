"""Passwords: hashing, the rules for new ones, and readable random first passwords."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

MIN_LENGTH = 10
# Each hash takes 64 MiB: a flood of sign-ins must not take the machine's memory.
_SLOTS = threading.BoundedSemaphore(4)

_hasher = PasswordHasher()

# The commonest passwords of ten characters or more; shorter ones are refused by length.
_COMMON_TEXT = """
1234567890 0123456789 0987654321 9876543210 1111111111 0000000000 8888888888 6666666666
12345678910 123456789a a123456789 1234567890a qwertyuiop 1qaz2wsx3edc 1q2w3e4r5t q1w2e3r4t5
qwerty12345 qwerty123456 password12 password123 password1234 passw0rd123 p@ssw0rd123
administrator admin12345 admin123456 admin@1234 welcome123 woaini1314 woaini1314520 5201314520
1314520520 iloveyou123 asdfghjkl1 asdfghjkl; zxcvbnm123 abcd123456 abc1234567 abcdefghij
aa12345678 aa123456789 changeme123 letmein1234 11223344556 147258369 1472583690 147852369a
7758521521 qazwsxedcrfv kingdee123 kingdee888
"""
_COMMON = frozenset(_COMMON_TEXT.split())

_TOO_SHORT = Text(
    "密码至少 {allowed} 个字符，收到 {received} 个；请用更长的密码，例如四个不相关的词。",
    "A password has at least {allowed} characters; {received} were given. Use a longer one, for "
    "example four unrelated words.",
)
_TOO_COMMON = Text(
    "这个密码太常见，很容易被猜到；请换一个。",
    "This password is among the commonest and easily guessed; choose another.",
)
_IS_NAME = Text(
    "密码不能与用户名相同或包含用户名；请换一个。",
    "A password may not be or contain the user name; choose another.",
)
_SAME = Text("新密码不能与旧密码相同。", "The new password may not be the old one.")

_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"


def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    with _SLOTS:
        return _hasher.hash(password)


def verify(hash_: str, password: str) -> bool:
    """Whether the password is the one of the hash."""
    with _SLOTS:
        try:
            return _hasher.verify(hash_, password)
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(hash_: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(hash_)


def check_new(username: str, password: str, old: str | None = None) -> None:
    """Refuse a password that is too short, too common, the user's name or the old one."""
    if len(password) < MIN_LENGTH:
        raise BadInput("password_too_short", _TOO_SHORT, allowed=MIN_LENGTH, received=len(password))
    if password == old:
        raise BadInput("password_same", _SAME)
    if len(set(password)) < 3 or password.casefold() in _COMMON:
        raise BadInput("password_too_common", _TOO_COMMON)
    if len(username) > 2 and username.casefold() in password.casefold():
        raise BadInput("password_is_name", _IS_NAME)


def first_password() -> str:
    """A random password a person can read out: some 60 bits, such as `bafo-kide-lumo-sapi-42`."""
    words = ["".join(_syllable() + _syllable()) for _ in range(4)]
    return "-".join([*words, f"{secrets.randbelow(100):02}"])


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)
