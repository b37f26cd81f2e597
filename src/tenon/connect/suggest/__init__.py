"""Suggestions: what a table holds and which column fills which field, with the reason of each."""

from tenon.connect.suggest.service import Offer, Suggestion, offers, suggest

__all__ = ["Offer", "Suggestion", "offers", "suggest"]
