"""Bills of the finance system, keyed by a clerk each morning from what the day before left."""

from typing import Any

from plant.legacy import kis
from plant.model.things import Material, Order, WorkOrder
from plant.model.world import World
from plant.record.faults import Faults
from plant.record.kis_data import STOCKS, UNITS
from plant.record.kis_stock import KisStock
from plant.record.wms import Move
from plant.settings import HOUR

# WMS move type: FTranType, bill number prefix.
BILLS = {
    "PURCHASE": (1, "WIN"),
    "RECEIPT": (2, "CIN"),
    "OUT_BACK": (5, "JIN"),
    "SHIP": (21, "XOUT"),
    "ISSUE": (24, "SOUT"),
    "RETURN": (24, "SOUT"),
    "OUT_SEND": (28, "JOUT"),
}


class KisBills:
    """Writes orders, production orders and stock bills of the finance system."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._book, self._faults = world, world.book, faults
        self._rng = world.chance("kis-bills")
        self._numbers: dict[str, int] = {}
        self._bill_id = self._entry_id = 0
        self.orders: dict[str, Order] = {}
        self.work_orders: dict[str, WorkOrder] = {}
        self.purchases: list[tuple[int, Material, float, int]] = []
        self.month: list[tuple[dict[str, Any], Move, float]] = []
        self.stock = KisStock(world.book)

    def morning(self, moves: list[Move]) -> None:
        """Key what has gathered since yesterday."""
        for order in self.orders.values():
            self._order(order)
        for work_order in self.work_orders.values():
            self._production(work_order)
        for number, material, qty, due in self.purchases:
            self._purchase_order(number, material, qty, due)
        for move in moves:
            if move.kind in BILLS and move.void_at is None:
                self._bill(move)
        self.orders.clear()
        self.work_orders.clear()
        self.purchases.clear()

    def _order(self, order: Order) -> None:
        world, text = self._world, self._world.text
        self._book.put(
            kis.SE_ORDER,
            FInterID=order.finance_id,
            FBillNo=order.no,
            FTranType=81,
            FDate=text(order.ordered_at),
            FCustID=order.customer.finance_id,
            FDeptID=204,
            FEmpID=world.catalog.employees[-1].finance_id,
            FStatus=3 if order.status == "closed" else 1,
            FCancellation=int(order.status == "cancelled"),
            FChangeMark=int(order.revision > 1),
            FClosed=int(order.status == "closed"),
            FModifyTime=text(world.now),
        )
        for line in order.lines:
            self._book.put(
                kis.SE_ORDER_ENTRY,
                FInterID=order.finance_id,
                FEntryID=line.line,
                FDetailID=order.finance_id * 10 + line.line,
                FItemID=line.item.finance_id,
                FQty=line.qty,
                FCommitQty=line.shipped_qty,
                FStockQty=line.shipped_qty,
                FPrice=line.price,
                FAmount=round(line.qty * line.price, 2),
                FCess=13,
                FDate=text(line.due),
                FAdviceConsignDate=text(line.due),
                FOrderBillNo=order.po,
            )

    def _production(self, order: WorkOrder) -> None:
        text, line = self._world.text, order.shares[0][0]
        done = order.received_at is not None
        self._book.put(
            kis.ICMO,
            FInterID=order.finance_id,
            FBillNo=order.no,
            FTranType=85,
            FStatus=3 if order.closed_at is not None else int(order.released_at is not None),
            FType=1067,
            FWorkShop=201,
            FItemID=order.item.finance_id,
            FQty=order.qty,
            FCommitQty=order.produced,
            FQtyPass=order.produced,
            FQtyScrap=sum(job.scrap_work for job in order.jobs),
            FQtyForItem=sum(job.scrap_material for job in order.jobs),
            FStockQty=order.received,
            FPlanCommitDate=text(order.jobs[0].plan_start),
            FPlanFinishDate=text(order.jobs[-1].plan_end),
            FCommitDate=text(order.released_at),
            FStartDate=text(order.jobs[0].started_at),
            FFinishDate=text(order.received_at) if done else None,
            FCloseDate=text(order.closed_at),
            FBomInterID=order.item.place,
            FOrderInterID=line.order.finance_id,
            FSourceEntryID=line.line,
            FCustID=line.order.customer.finance_id,
            FSuspend=int(order.status == "HOLD"),
            FCancellation=int(not order.live),
            FFinClosed=0,
            FModifyTime=text(self._world.now),
        )
        self._material_list(order)

    def _material_list(self, order: WorkOrder) -> None:
        now, ident, item = self._world.text(self._world.now), order.finance_id, order.item
        self._book.put(
            kis.PPBOM,
            FInterID=ident,
            FBillNo=f"PB{ident:07d}",
            FTranType=88,
            FICMOInterID=ident,
            FItemID=item.finance_id,
            FQty=order.qty,
            FDate=self._world.text(order.created_at),
            FStatus=1,
            FModifyTime=now,
        )
        parts = ((item.material, item.kg_per_piece, 10), (item.box, 0.005, item.steps[-1].seq))
        for entry, (material, usage, seq) in enumerate(parts, start=1):
            must = round(order.qty * usage, 4)
            issued = round(sum(q for m, _, q in order.issued if m is material), 4)
            self._book.put(
                kis.PPBOM_ENTRY,
                FInterID=ident,
                FEntryID=entry,
                FICMOInterID=ident,
                FItemID=material.finance_id,
                FQtyScrap=usage,
                FScrap=3 if entry == 1 else 0,
                FQtyMust=must,
                FQtyPick=must,
                FStockQty=issued,
                FWIPQTY=issued if order.received_at is None else 0,
                FOperSN=seq,
            )

    def _purchase_order(self, number: int, material: Material, qty: float, due: int) -> None:
        text = self._world.text
        self._book.put(
            kis.PO_ORDER,
            FInterID=number,
            FBillNo=f"PO{number:06d}",
            FTranType=71,
            FDate=text(self._world.now),
            FSupplyID=material.supplier.finance_id,
            FStatus=1,
            FCancellation=0,
            FClosed=0,
            FModifyTime=text(self._world.now),
        )
        self._book.put(
            kis.PO_ORDER_ENTRY,
            FInterID=number,
            FEntryID=1,
            FItemID=material.finance_id,
            FQty=round(qty, 4),
            FStockQty=0,
            FPrice=material.price,
            FAmount=round(qty * material.price, 2),
            FDate=text(due),
        )

    def _price(self, move: Move) -> float:
        return move.thing.price if isinstance(move.thing, Material) else move.thing.cost

    def _bill(self, move: Move) -> None:
        kind, prefix = BILLS[move.kind]
        self._bill_id += 1
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        number = f"{prefix}{self._numbers[prefix]:06d}"
        red = move.red_of is not None or move.kind == "RETURN"
        partner = 0
        if move.line is not None:
            partner = move.line.order.customer.finance_id
        elif move.vendor is not None:
            partner = move.vendor.finance_id
        text, now = self._world.text, self._world.now
        bill: dict[str, Any] = {
            "FInterID": self._bill_id,
            "FTranType": kind,
            "FDate": (text(move.at) or "")[:10] + " 00:00:00",
            "FBillNo": number,
            "FDeptID": 201,
            "FEmpID": self._world.catalog.employees[-20].finance_id,
            "FSupplyID": partner,
            "FSCStockID": STOCKS[move.location[0]][0],
            "FDCStockID": STOCKS[move.location[0]][0],
            "FCheckerID": 16394,
            "FCheckDate": text(now),
            "FROB": -1 if red else 1,
            "FStatus": 1,
            "FCancellation": 0,
            "FVchInterID": 0,
            "FPosted": 0,
            "FExplanation": move.no,
            "FModifyTime": text(now),
        }
        self._book.put(kis.IC_STOCK_BILL, **bill)
        amount = self._bill_entry(move, number, -1 if red else 1)
        self.month.append((bill, move, amount))
        if self._rng.random() < self._world.rates.bill_unaudited:
            self._world.after(self._rng.uniform(1, 30) * HOUR, self._unaudit, bill)

    def _bill_entry(self, move: Move, number: str, sign: int) -> float:
        self._entry_id += 1
        price, thing, ident = self._price(move), move.thing, move.thing.finance_id
        if move.kind == "ISSUE" and self._rng.random() < self._world.rates.bill_zero_price:
            price = 0.0
            self._faults.note("bill_zero_price", "kis", "ICStockBillEntry", number)
        qty = round(sign * move.qty, 4)
        sale = move.line.price if move.line else None
        batch = move.lot_no or "" if isinstance(thing, Material) else ""
        self._book.put(
            kis.IC_STOCK_BILL_ENTRY,
            FInterID=self._bill_id,
            FEntryID=1,
            FDetailID=self._entry_id,
            FItemID=ident,
            FUnitID=UNITS[move.unit],
            FQtyMust=qty,
            FQty=qty,
            FPrice=price,
            FAmount=round(qty * price, 2),
            FConsignPrice=sale,
            FConsignAmount=round(qty * sale, 2) if sale is not None else None,
            FBatchNo=batch,
            FSCStockID=STOCKS[move.location[0]][0],
            FDCStockID=STOCKS[move.location[0]][0],
            FICMOInterID=move.wo.finance_id if move.wo else 0,
            FICMOBillNo=move.wo.no if move.wo else None,
            FPPBomEntryID=_list_entry(move),
            FOrderInterID=move.line.order.finance_id if move.line else 0,
            FOrderEntryID=move.line.line if move.line else 0,
            FOrderBillNo=move.line.order.no if move.line else None,
            FSourceBillNo=move.no,
        )
        self.stock.change(move, (self._world.text(move.at) or "")[:10])
        return round(qty * price, 2)

    def _unaudit(self, bill: dict[str, Any]) -> None:
        """Take back a bill's audit (反审核) and audit it again some hours later."""
        now = self._world.now
        self._faults.note("bill_unaudited", "kis", "ICStockBill", str(bill["FBillNo"]))
        bill.update(FCheckerID=0, FCheckDate=None, FStatus=0, FModifyTime=self._world.text(now))
        self._book.put(kis.IC_STOCK_BILL, **bill)
        self._world.after(self._rng.uniform(1, 20) * HOUR, self._audit, bill)

    def _audit(self, bill: dict[str, Any]) -> None:
        now = self._world.text(self._world.now)
        bill.update(FCheckerID=16394, FCheckDate=now, FStatus=1, FModifyTime=now)
        self._book.put(kis.IC_STOCK_BILL, **bill)


def _list_entry(move: Move) -> int:
    """Return the line of the work order's material list that an issue belongs to."""
    if move.wo is None or not isinstance(move.thing, Material):
        return 0
    return 1 if move.thing.kind == "RAW" else 2
