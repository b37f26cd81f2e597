"""The words in which a suggestion gives its reasons."""

from __future__ import annotations

from tenon.connect.suggest.columns import Facts
from tenon.connect.suggest.lexicon import Likeness
from tenon.kernel.text import Text

KNOWN = Text(
    "{share} 的值是本系统已登记的“{target}”编码",
    "{share} of its values are codes of “{target_en}” known from this system",
)
NUMBERS_IN = Text(
    "{share} 的值是已有的“{target}”编号", "{share} of its values are numbers of “{target_en}” here"
)
SHARED_KEY = Text(
    "本系统没有“{target}”的档案表；“{key}”是各系统通用的",
    "This system has no table of “{target_en}”; the “{key_en}” is what all systems share",
)
TAX = Text("{share} 的值是税号的样子", "{share} of its values look like tax ids")
UNITS = Text("值都是计量单位：{values}", "Its values are units: {values}")
TRANSLATED = Text("按值翻译：{values}", "Its values are translated: {values}")
MADE = Text("由 {columns} 拼成", "Made of {columns}")
CURSOR_TIME = Text(
    "“{column}”是修改时间：只读改过的行",
    "“{column}” says when a row was changed: only those are read",
)
CURSOR_VERSION = Text(
    "“{column}”是 SQL Server 的行版本：准确知道哪些行变了",
    "“{column}” is SQL Server's row version: it tells exactly what changed",
)
NO_CURSOR = Text(
    "没有修改时间的列：每次整表读取并比较",
    "No column says when a row changed: all of it is read and compared each time",
)
PRIMARY = Text("数据库声明的主键", "The primary key the database declares")
UNIQUE = Text("样本中没有重复的值", "Its values are all different in the sample")
ONE_PER_CODE = Text(
    "同一编码出现在多行：每个编码算一条", "A code stands in several rows: each code counts once"
)
NO_KEY = Text(
    "没有找到能唯一识别一行的列；请选择", "No column was found that recognises a row; choose one"
)
FOUNDS = Text(
    "还没有别的系统提供“{target}”：由这里新建", "No other system gives “{target_en}” yet: made here"
)
FOUNDS_TOO = Text(
    "认不出的“{target}”由这里新建", "A “{target_en}” that is not recognised is made here"
)
MATCHES = Text(
    "“{target}”由 {owner} 提供：这里只做对应，对不上的请人确认",
    "“{target_en}” is given by {owner}: here codes are matched, and a person settles the rest",
)
KEY_OF = Text("用来认出同一个“{target}”", "By this the same “{target_en}” is recognised")
ANY_NAME = Text(
    "表里只有一个名称：按全称和简称都试",
    "The table has one name only: it is tried as full and as short",
)
KEY_SHARE = Text(
    "{share} 的值与已有的“{target}”相同", "{share} of its values agree with a “{target_en}” here"
)
SIGNED = Text("数量乘以“{column}”（1 或 -1）", "The quantity times “{column}” (1 or -1)")
TABLE_NAME = Text("“{name}”像是“{target}”", "“{name}” looks like “{target_en}”")
COLUMNS_FIT = Text("{count} 列对得上：{columns}", "{count} columns fit: {columns}")
READY = Text("{ledger} 的标准表：现成的对应关系", "A table of {ledger_en}: its mapping is ready")
LEFT = Text("；还不认识的值：{values}，请选择", "; not known: {values}, choose what they mean")
CONSTANT = Text("没有这样的列：先填“{value}”", "There is no such column: “{value}” for now")
OTHER_SOURCE = Text(
    "“{target}”已由“{owner}”提供；同一个编号不能来自两个系统",
    "“{target_en}” comes from “{owner}” already; a number belongs to one system only",
)

_HOW = {
    "name": Text("列名“{column}”就是“{phrase}”", "The column “{column}” says “{phrase}”"),
    "own": Text("列名“{column}”就是“{phrase}”", "The column “{column}” says “{phrase}”"),
    "comment": Text("列的注释“{comment}”就是“{phrase}”", "Its comment “{comment}” says “{phrase}”"),
    "part": Text("列名“{column}”与“{phrase}”相近", "The column “{column}” is like “{phrase}”"),
    "pinyin": Text("“{column}”是“{phrase}”的拼音", "“{column}” spells “{phrase}” in pinyin"),
}


def name_reason(like: Likeness, facts: Facts, label: Text) -> Text:
    """Why a name is like what was wanted."""
    how, phrase = _HOW.get(like.how, _HOW["part"]), like.phrase
    han = any("\u4e00" <= letter <= "\u9fff" for letter in phrase)
    said = {"column": facts.name, "comment": facts.comment or ""}
    zh = how.format(**said, phrase=phrase if han else label.zh).zh
    return Text(zh, how.format(**said, phrase=phrase or label.en).en)
