"""Suggestions: what a table holds and which column fills which field, with the reason of each."""

from tenon.connect.suggest.service import DRAFT, Offer, Suggestion, offers, suggest

__all__ = ["DRAFT", "Offer", "Suggestion", "offers", "suggest"]
