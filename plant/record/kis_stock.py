"""Stock of the finance system: what is on hand now, and the balances of each month."""

from collections import defaultdict

from plant.legacy import kis
from plant.model.things import Material
from plant.record.book import Book
from plant.record.kis_data import STOCKS
from plant.record.wms import Move


class KisStock:
    """Writes ICInventory with every bill and ICBal when a month is closed."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._on_hand: dict[tuple[int, str, int], float] = {}
        self._prices: dict[int, float] = {}
        self._moved: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._opening: dict[int, float] = {}

    def change(self, move: Move, day: str) -> None:
        """Take up a bill that moves stock; moves of parts in process do not."""
        if move.kind.startswith("OUT_"):
            return
        thing = move.thing
        batch = move.lot_no or "" if isinstance(thing, Material) else ""
        price = thing.price if isinstance(thing, Material) else thing.cost
        self._prices[thing.finance_id] = price
        key = (thing.finance_id, batch, STOCKS[move.location[0]][0])
        self._on_hand[key] = round(self._on_hand.get(key, 0.0) + move.direction * move.qty, 4)
        moved = self._moved[day[:7], thing.finance_id]
        # A red bill takes back on its own side: a returned issue is a negative send.
        side = 0 if move.kind in ("PURCHASE", "RECEIPT") else 1
        moved[side] += move.qty * move.direction * (1 if side == 0 else -1)
        self._book.put(
            kis.IC_INVENTORY,
            FItemID=key[0],
            FBatchNo=key[1],
            FStockID=key[2],
            FQty=self._on_hand[key],
            FBal=round(self._on_hand[key] * price, 2),
        )

    def close_month(self, year: int, month: int) -> None:
        """Write the month's balance of every item that has or had stock."""
        mark = f"{year}-{month:02d}"
        for ident in sorted(self._prices):
            received, sent = (round(q, 4) for q in self._moved.pop((mark, ident), (0.0, 0.0)))
            begin, price = self._opening.get(ident, 0.0), self._prices[ident]
            end = round(begin + received - sent, 4)
            self._opening[ident] = end
            self._book.put(
                kis.IC_BAL,
                FYear=year,
                FPeriod=month,
                FItemID=ident,
                FBegQty=begin,
                FReceive=received,
                FSend=sent,
                FEndQty=end,
                FBegBal=round(begin * price, 2),
                FDebit=round(received * price, 2),
                FCredit=round(sent * price, 2),
                FEndBal=round(end * price, 2),
            )
