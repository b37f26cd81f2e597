"""Base data of the finance system: items, partners, accounts, periods, descriptions."""

from plant.legacy import kis
from plant.model.things import Customer, Employee, Item, Machine, Material, Supplier
from plant.model.world import World
from plant.record.faults import Faults
from plant.record.noise import mistyped, typed, written_code, written_name

# Account number: (name, 1 debit or -1 credit); sub-accounts have a dot.
ACCOUNTS = {
    "1002": ("银行存款", 1),
    "1122": ("应收账款", 1),
    "1403": ("原材料", 1),
    "1405": ("库存商品", 1),
    "1408": ("委托加工物资", 1),
    "1601": ("固定资产", 1),
    "1602": ("累计折旧", -1),
    "2202": ("应付账款", -1),
    "2211": ("应付职工薪酬", -1),
    "2221": ("应交税费", -1),
    "4001": ("实收资本", -1),
    "5001": ("生产成本", 1),
    "5001.01": ("直接材料", 1),
    "5001.02": ("直接人工", 1),
    "5001.03": ("制造费用转入", 1),
    "5101": ("制造费用", 1),
    "6001": ("主营业务收入", -1),
    "6401": ("主营业务成本", 1),
    "6602": ("管理费用", 1),
}
ACCOUNT_IDS = {number: 1000 + place for place, number in enumerate(ACCOUNTS)}
DEPARTMENTS = ("冲压车间", "后处理车间", "仓储部", "销售部", "管理部")
STOCKS = {"A": (401, "原材料仓"), "B": (402, "辅料仓"), "C": (403, "成品仓"), "W": (404, "委外仓")}
UNITS = {"kg": 301, "件": 302, "个": 303}
CLASS_CUSTOMER, CLASS_DEPARTMENT, CLASS_EMPLOYEE, CLASS_ITEM = 1, 2, 3, 4
CLASS_STOCK, CLASS_UNIT, CLASS_SUPPLIER = 5, 7, 8
TABLE_IDS = {
    "t_VoucherEntry": (1, "凭证分录"),
    "t_Voucher": (2, "凭证"),
    "t_ICItem": (17, "物料"),
    "t_Account": (22, "科目"),
    "t_Organization": (50, "客户"),
    "t_Item": (60, "基础资料"),
    "t_Supplier": (51, "供应商"),
    "t_Emp": (52, "职员"),
    "t_Department": (53, "部门"),
    "t_Balance": (23, "科目余额"),
    "t_FACard": (70, "固定资产卡片"),
    "SEOrder": (230004, "销售订单"),
    "SEOrderEntry": (230005, "销售订单分录"),
    "POOrder": (200004, "采购订单"),
    "POOrderEntry": (200005, "采购订单分录"),
    "ICMO": (470000, "生产任务单"),
    "PPBOM": (470010, "生产投料单"),
    "ICBOM": (250001, "物料清单"),
    "ICBal": (210001, "存货余额"),
    "ICInventory": (210004, "即时库存"),
    "ICStockBill": (210008, "出入库单据"),
    "ICStockBillEntry": (210009, "出入库单据分录"),
}
FIELD_WORDS = {
    "FInterID": "内码",
    "FBillNo": "单据编号",
    "FDate": "日期",
    "FItemID": "物料内码",
    "FNumber": "代码",
    "FName": "名称",
    "FQty": "数量",
    "FPrice": "单价",
    "FAmount": "金额",
    "FTaxNum": "税务登记号",
    "FModel": "规格型号",
    "FROB": "红蓝字",
    "FTranType": "单据类型",
    "FICMOInterID": "生产任务单内码",
    "FModifyTime": "修改时间",
}


class KisData:
    """Writes base data of the finance system."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._book, self._faults = world, world.book, faults
        self._rng = world.chance("kis-data")

    def _entry(self, ident: int, klass: int, number: str, name: str) -> str | None:
        now = self._world.text(self._world.now)
        self._book.put(
            kis.ITEM,
            FItemID=ident,
            FItemClassID=klass,
            FNumber=number,
            FName=name,
            FFullName=name,
            FParentID=0,
            FLevel=number.count(".") + 1,
            FDetail=1,
            FDeleted=0,
            FModifyTime=now,
        )
        return now

    def frame(self) -> None:
        """Write accounts, departments, stocks, units, modules and the table descriptions."""
        for place, name in enumerate(DEPARTMENTS, start=1):
            now = self._entry(200 + place, CLASS_DEPARTMENT, f"{place:02d}", name)
            self._book.put(
                kis.DEPARTMENT,
                FItemID=200 + place,
                FNumber=f"{place:02d}",
                FName=name,
                FModifyTime=now,
            )
        for code, (ident, name) in STOCKS.items():
            now = self._entry(ident, CLASS_STOCK, code, name)
            self._book.put(kis.STOCK, FItemID=ident, FNumber=code, FName=name, FModifyTime=now)
        for name, ident in UNITS.items():
            now = self._entry(ident, CLASS_UNIT, name, name)
            self._book.put(
                kis.MEASURE_UNIT,
                FMeasureUnitID=ident,
                FNumber=name,
                FName=name,
                FCoefficient=1,
                FModifyTime=now,
            )
        self._accounts()
        self._describe()

    def _accounts(self) -> None:
        for number, (name, side) in ACCOUNTS.items():
            parent = ACCOUNT_IDS.get(number.split(".")[0], 0) if "." in number else 0
            self._book.put(
                kis.ACCOUNT,
                FAccountID=ACCOUNT_IDS[number],
                FNumber=number,
                FName=name,
                FFullName=name if not parent else f"生产成本-{name}",
                FLevel=number.count(".") + 1,
                FDetail=int(number != "5001"),
                FParentID=parent,
                FDC=side,
                FModifyTime=self._world.text(0),
            )
        for ident, number, name in ((1, "GL", "总账"), (2, "IC", "仓存"), (3, "FA", "固定资产")):
            self._book.put(kis.SUB_SYS, FSubSysID=ident, FNumber=number, FName=name, FCheckOut=0)

    def period(self, year: int, month: int) -> None:
        """Write an accounting period and make it the current one of every module."""
        following = (year + month // 12, month % 12 + 1)
        self._book.put(
            kis.PERIOD_DATE,
            FYear=year,
            FPeriod=month,
            FStartDate=f"{year}-{month:02d}-01 00:00:00",
            FEndDate=f"{following[0]}-{following[1]:02d}-01 00:00:00",
        )
        for category in ("GL", "IC", "CB"):
            for name, value in (("CurrentYear", year), ("CurrentPeriod", month)):
                self._book.put(kis.SYSTEM_PROFILE, FCategory=category, FKey=name, FValue=str(value))

    def _describe(self) -> None:
        for table in kis.METADATA.sorted_tables:
            if table.name not in TABLE_IDS or not self._book.has(table):
                continue
            ident, words = TABLE_IDS[table.name]
            self._book.put(
                kis.TABLE_DESCRIPTION, FTableID=ident, FTableName=table.name, FDescription=words
            )
            for column in table.columns:
                if column.name in FIELD_WORDS:
                    self._book.put(
                        kis.FIELD_DESCRIPTION,
                        FTableID=ident,
                        FFieldName=column.name,
                        FDescription=FIELD_WORDS[column.name],
                    )

    def customer(self, customer: Customer) -> None:
        """Write a customer with the tax number as the accountant typed it."""
        now = self._entry(customer.finance_id, CLASS_CUSTOMER, customer.finance_no, customer.name)
        self._book.put(
            kis.ORGANIZATION,
            FItemID=customer.finance_id,
            FNumber=customer.finance_no,
            FName=written_name(self._rng, customer.name),
            FShortName=customer.short_name,
            FTaxNum=typed(self._rng, customer.finance_tax),
            FAddress=f"{customer.region}市工业园区{customer.place}号",
            FPhone=f"0574-{customer.place * 7919 % 10**8:08d}",
            FModifyTime=now,
        )

    def supplier(self, supplier: Supplier) -> None:
        """Write a supplier with its tax number."""
        now = self._entry(supplier.finance_id, CLASS_SUPPLIER, supplier.finance_no, supplier.name)
        self._book.put(
            kis.SUPPLIER,
            FItemID=supplier.finance_id,
            FNumber=supplier.finance_no,
            FName=supplier.name,
            FShortName=supplier.name[:6],
            FTaxNum=typed(self._rng, supplier.finance_tax),
            FPhone=f"0510-{supplier.place * 6151 % 10**8:08d}",
            FModifyTime=now,
        )

    def employee(self, employee: Employee) -> None:
        """Write an employee."""
        now = self._entry(employee.finance_id, CLASS_EMPLOYEE, employee.finance_no, employee.name)
        self._book.put(
            kis.EMP,
            FItemID=employee.finance_id,
            FNumber=employee.finance_no,
            FName=employee.name,
            FDepartmentID=200 + employee.department,
            FModifyTime=now,
        )

    def machine(self, place: int, machine: Machine) -> None:
        """Write a machine as a fixed asset."""
        self._book.put(
            kis.FA_CARD,
            FAssetID=place,
            FAssetNumber=written_code(self._rng, machine.finance_asset, 0.4),
            FAssetName=machine.name,
            FModel=f"J21-{machine.tonnage}" if machine.press else "",
            FDeptID=201 if machine.press else 202,
            FBeginUseDate=f"{2012 + place % 11}-03-01 00:00:00",
            FOrgVal=80000 + machine.tonnage * 2500,
            FModifyTime=self._world.text(0),
        )

    def material(self, material: Material) -> None:
        """Write a raw or packing material, where the profile has stock."""
        if self._world.config.profile == "ledger":
            return
        now = self._entry(material.finance_id, CLASS_ITEM, material.finance_no, material.name)
        self._ic_item(material, material.spec, now)

    def item(self, item: Item) -> None:
        """Write a finished item whose model holds the drawing number."""
        now = self._entry(item.finance_id, CLASS_ITEM, item.finance_no, item.name)
        drawing = written_code(self._rng, item.drawing_no)
        self._ic_item(item, drawing, now)
        self._bom(item, now)

    def _ic_item(self, thing: Item | Material, model: str, now: str | None) -> None:
        bought = isinstance(thing, Material)
        price = thing.price if isinstance(thing, Material) else thing.cost
        stock = ACCOUNT_IDS["1403" if bought else "1405"]
        self._book.put(
            kis.IC_ITEM,
            FItemID=thing.finance_id,
            FNumber=thing.finance_no,
            FName=thing.name,
            FModel=model,
            FErpClsID=1 if bought else 2,
            FTrack=76,
            FUnitID=UNITS[thing.unit if isinstance(thing, Material) else "件"],
            FPlanPrice=price,
            FStandardCost=price,
            FSecInv=0,
            FAcctID=stock,
            FSaleAcctID=ACCOUNT_IDS["6001"],
            FCostAcctID=ACCOUNT_IDS["6401"],
            FDeleted=0,
            FModifyTime=now,
        )

    def _bom(self, item: Item, now: str | None) -> None:
        self._book.put(
            kis.IC_BOM,
            FInterID=item.place,
            FBOMNumber=f"BOM{item.place:06d}",
            FVersion="V1",
            FItemID=item.finance_id,
            FQty=1,
            FYield=100,
            FStatus=1,
            FUseStatus=1072,
            FModifyTime=now,
        )
        parts = ((item.material, item.kg_per_piece, 10), (item.box, 0.005, item.steps[-1].seq))
        for entry, (material, usage, seq) in enumerate(parts, start=1):
            self._book.put(
                kis.IC_BOM_CHILD,
                FInterID=item.place,
                FEntryID=entry,
                FItemID=material.finance_id,
                FQty=usage,
                FScrap=3 if entry == 1 else 0,
                FOperSN=seq,
            )

    def slip(self, customer: Customer) -> None:
        """Mistype a customer's tax number, so that it meets nothing."""
        customer.finance_tax = mistyped(self._rng, customer.tax_id)
        self._faults.note(
            "key_mistyped",
            "kis",
            "t_Organization",
            str(customer.finance_id),
            detail=f"FTaxNum {customer.finance_tax}",
        )
