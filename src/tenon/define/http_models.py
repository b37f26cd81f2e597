"""How a stream is read from a system that speaks HTTP: pages, parameters, where the list is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# A place in an answer: names joined by dots (`data.list`); empty is the answer itself.
Place = Annotated[str, Field(pattern=r"^$|^[^.\x00-\x1f]+(\.[^.\x00-\x1f]+)*$", max_length=200)]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x20&=#?]+$", max_length=100)]


class HttpDef(BaseModel):
    """How the pages of a stream are asked for, and where its list is in an answer.

    `pages` says how the next page is found:

    - `token`: the answer has a token at `next`, given back as `page_param`;
    - `number`: `page_param` counts the pages from `first`;
    - `offset`: `page_param` is how many items were read so far (counted from `first`);
    - `link`: the answer has the next address in its header `Link: <…>; rel="next"`;
    - `url`: the answer has the next address at `next`; it is followed on the same host only;
    - `none`: the answer is everything.

    By `number` and `offset` an empty page is the end, or where the answer says at `total` how
    many items there are, the last of them: fewer than that is an error, never the end.
    With `ends: short` a page of fewer than `size` items is the last as well. Say so only of a
    system that never gives fewer than it was asked for: some allow 100 items and ignore the
    rest.

    `size_param` asks for so many items a page, `since_param` for what changed since the cursor
    (rows ordered by it; with `ordered: false` all pages are read before the first row is taken).
    Both are left out when null. `params` go with every page. `ok` is {place in the answer: values
    that mean it worked}, for systems that say `200 OK` to everything; `error` is where they say
    what went wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: Literal["token", "number", "offset", "link", "url", "none"] = "token"
    items: Place = "items"
    next: Place = "next"
    total: Place | None = None
    page_param: Name | None = None
    first: int | None = Field(default=None, ge=0, le=1)
    size_param: Name | None = "limit"
    size: int | None = Field(default=None, ge=1, le=10_000)
    since_param: Name | None = "updated_since"
    params: dict[Name, str | int] = {}
    ends: Literal["empty", "short"] = "empty"
    ordered: bool = True
    max_pages: int = Field(default=10_000, ge=1, le=1_000_000)
    ok: dict[Place, tuple[str | int, ...]] = {}
    error: Place | None = None

    @model_validator(mode="after")
    def _possible(self) -> HttpDef:
        counted = self.pages in {"number", "offset"}
        if self.total is not None and not counted:
            raise ValueError("`total` ends pages by number or offset; leave it out here")
        if self.ends == "short" and not counted:
            raise ValueError("`ends: short` is for pages by number or offset; leave it out here")
        if self.ends == "short" and self.size is None:
            raise ValueError("`ends: short` needs `size`: how many items a whole page has")
        own = [self.page_param, self.size_param, self.since_param, *self.params]
        named = [one for one in own if one is not None]
        if len(named) != len(set(named)):
            raise ValueError("a parameter is named twice")
        return self

    @property
    def asked(self) -> str:
        """The parameter by which the next page is asked for."""
        usual = {"number": "page", "offset": "offset"}
        return self.page_param or usual.get(self.pages, "after")

    @property
    def start(self) -> int:
        """What the first page or item is counted as."""
        usual = 1 if self.pages == "number" else 0
        return usual if self.first is None else self.first
