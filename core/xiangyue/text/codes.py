# data: zh
"""National code tables: GB/T 2261.1 sex, GB/T 3304 nationalities, GB/T 4761 relation to the head of the
household.

Each entry has a Chinese and an English label and the other ways people write it; `CodeTable.parse` reads
any of them, `CodeTable.suggest` finds the likeliest for what it cannot read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xiangyue.i18n import pick
from xiangyue.text.folding import cell_text, without_spaces

#: Characters of what is still read as several words of a table written together.
_LONGEST_SEQUENCE = 60


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a table: what is stored, its labels, and its synonyms."""

    code: str
    zh: str
    en: str = ""
    synonyms: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """In the current language."""
        return pick(self.zh, self.en)


class CodeTable:
    """An ordered table of `Code`, read by code, label or synonym."""

    def __init__(self, key: str, codes: Iterable[Code]) -> None:
        self.key = key
        self.codes = tuple(codes)
        self._by_code = {entry.code: entry for entry in self.codes}
        self._by_text: dict[str, str] = {}
        for entry in self.codes:
            self._by_text[_fold(entry.code)] = entry.code
        for entry in self.codes:
            for word in (entry.zh, entry.en, *entry.synonyms):
                if word:
                    self._by_text.setdefault(_fold(word), entry.code)

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def get(self, code: str) -> Code | None:
        return self._by_code.get(code)

    def label(self, code: str) -> str:
        """Label of a stored code in the current language; an unknown code is shown as it is, nothing as
        ``""``.
        """
        entry = self._by_code.get(code)
        return entry.label if entry else code

    def zh(self, code: str) -> str:
        entry = self._by_code.get(code)
        return entry.zh if entry else code

    def parse(self, value: object) -> str | None:
        """The code meant by a typed value or cell, or None. Case, blanks and full-width forms do not
        matter.
        """
        if isinstance(value, str):
            found = self._by_text.get(value)
            if found is not None:
                return found
        text = _fold(cell_text(value))
        found = self._by_text.get(text)
        if found is None and len(text) == 1 and text.isdigit():
            # A numeric cell has lost the leading zero of 01 … 09.
            found = "0" + text if "0" + text in self._by_code else None
        return found

    def suggest(self, value: object) -> Code | None:
        """The entry whose label or synonym is most like the text, or None when nothing is near."""
        from rapidfuzz import fuzz, process

        text = _fold(cell_text(value))
        if not text or text.isdigit():
            return None
        best = process.extractOne(text, list(self._by_text), scorer=fuzz.ratio, score_cutoff=50)
        return self._by_code[self._by_text[best[0]]] if best else None

    def sequence(self, value: object) -> list[str]:
        """The codes of words written together without a mark between them, if the whole is nothing else; else none."""
        text = _fold(cell_text(value))
        if len(text) > _LONGEST_SEQUENCE:
            return []
        for end in range(len(text) - 2, 1, -1):
            code = self._by_text.get(text[:end])
            if code is not None:
                last = self._by_text.get(text[end:])
                if behind := self.sequence(text[end:]) if last is None else [last]:
                    return [code, *behind]
        return []

    def named_in(self, value: object) -> set[str]:
        """Codes of all words of two characters and more that stand in a text."""
        text = _fold(cell_text(value))
        return {code for word, code in self._by_text.items() if len(word) > 1 and word in text}


def _fold(text: str) -> str:
    return without_spaces(text).lower().rstrip("。.,，;；")


#: GB/T 2261.1-2003. Stored as the number.
SEX = CodeTable(
    "sex",
    (
        Code("1", "男", "male", ("男性", "m", "man", "先生")),
        Code("2", "女", "female", ("女性", "f", "woman", "女士")),
        Code("0", "未知的性别", "unknown", ("未知",)),
        Code("9", "未说明的性别", "not stated", ("未说明",)),
    ),
)

_NATIONALITIES = """\
01 汉 Han|02 蒙古 Mongol|03 回 Hui|04 藏 Zang Tibetan|05 维吾尔 Uygur Uyghur
06 苗 Miao|07 彝 Yi|08 壮 Zhuang|09 布依 Buyei Bouyei|10 朝鲜 Chosen Korean
11 满 Man Manchu|12 侗 Dong|13 瑶 Yao|14 白 Bai|15 土家 Tujia
16 哈尼 Hani|17 哈萨克 Kazak Kazakh|18 傣 Dai|19 黎 Li|20 傈僳 Lisu
21 佤 Va Wa|22 畲 She|23 高山 Gaoshan|24 拉祜 Lahu|25 水 Sui
26 东乡 Dongxiang|27 纳西 Naxi|28 景颇 Jingpo|29 柯尔克孜 Kirgiz Kyrgyz|30 土 Tu
31 达斡尔 Daur|32 仫佬 Mulao Mulam|33 羌 Qiang|34 布朗 Blang|35 撒拉 Salar
36 毛南 Maonan|37 仡佬 Gelao|38 锡伯 Xibe|39 阿昌 Achang|40 普米 Pumi
41 塔吉克 Tajik|42 怒 Nu|43 乌孜别克 Uzbek|44 俄罗斯 Russ Russian|45 鄂温克 Ewenki
46 德昂 Deang|47 保安 Bonan|48 裕固 Yugur|49 京 Gin|50 塔塔尔 Tatar
51 独龙 Derung|52 鄂伦春 Oroqen|53 赫哲 Hezhen|54 门巴 Monba|55 珞巴 Lhoba
56 基诺 Jino"""


def _nationalities() -> Iterator[Code]:
    for line in _NATIONALITIES.splitlines():
        for entry in line.split("|"):
            code, name, *english = entry.split()
            yield Code(code, name + "族", english[0], (name, *english[1:]))
    # Not in the standard, but in the household register (GA/T 2000.28).
    yield Code("97", "其他", "other", ("其它", "未识别民族"))
    yield Code("98", "外国血统中国籍人士", "naturalised, foreign descent", ("入籍",))


#: GB/T 3304-1991, 01–56, and 97 and 98 of the household register.
NATIONALITIES = CodeTable("nationality", _nationalities())

#: Code of the head of the household in `RELATIONS`.
HEAD = "02"

#: GB/T 4761-2008. 本人 in a roster is the head, so it reads as 02.
RELATIONS = CodeTable(
    "relation",
    (
        Code(
            HEAD,
            "户主",
            "head of household",
            ("本人", "户主本人", "本人或户主", "head", "self", "householder"),
        ),
        Code("10", "配偶", "spouse", ("爱人", "夫妻", "老伴", "之配偶")),
        Code("11", "夫", "husband", ("丈夫", "之夫", "老公")),
        Code("12", "妻", "wife", ("妻子", "之妻", "老婆", "媳妇")),
        Code("20", "子", "son", ("儿子", "之子", "儿")),
        Code("21", "独生子", "only son", ("独子",)),
        Code("22", "长子", "eldest son", ("大儿子", "大子")),
        Code("23", "次子", "second son", ("二子", "二儿子")),
        Code("24", "三子", "third son", ("三儿子",)),
        Code("25", "四子", "fourth son", ("四儿子",)),
        Code("26", "五子", "fifth son", ("五儿子",)),
        Code("27", "养子或继子", "adopted son or stepson", ("养子", "继子")),
        Code("28", "女婿", "son-in-law", ("上门女婿", "婿", "之婿")),
        Code("29", "其他儿子", "other son", ("六子",)),
        Code("30", "女", "daughter", ("女儿", "之女", "闺女")),
        Code("31", "独生女", "only daughter", ("独女",)),
        Code("32", "长女", "eldest daughter", ("大女儿", "大女")),
        Code("33", "次女", "second daughter", ("二女", "二女儿")),
        Code("34", "三女", "third daughter", ("三女儿",)),
        Code("35", "四女", "fourth daughter", ("四女儿",)),
        Code("36", "五女", "fifth daughter", ("五女儿",)),
        Code("37", "养女或继女", "adopted daughter or stepdaughter", ("养女", "继女")),
        Code("38", "儿媳", "daughter-in-law", ("儿媳妇", "之儿媳", "子媳")),
        Code("39", "其他女儿", "other daughter", ("六女",)),
        Code("40", "孙子、孙女或外孙子、外孙女", "grandchild", ("孙辈",)),
        Code("41", "孙子", "son's son", ("孙", "之孙", "长孙", "次孙", "grandson")),
        Code("42", "孙女", "son's daughter", ("之孙女", "孙女儿", "长孙女", "granddaughter")),
        Code("43", "外孙子", "daughter's son", ("外孙", "之外孙")),
        Code("44", "外孙女", "daughter's daughter", ("之外孙女",)),
        Code("45", "孙媳妇或外孙媳妇", "grandson's wife", ("孙媳妇", "孙媳", "外孙媳妇")),
        Code("46", "孙女婿或外孙女婿", "granddaughter's husband", ("孙女婿", "外孙女婿")),
        Code("47", "曾孙子或外曾孙子", "great-grandson", ("曾孙", "曾孙子", "重孙", "外曾孙")),
        Code("48", "曾孙女或外曾孙女", "great-granddaughter", ("曾孙女", "重孙女", "外曾孙女")),
        Code("49", "其他孙子、孙女或外孙子、外孙女", "other grandchild"),
        Code("50", "父母", "parent"),
        Code("51", "父亲", "father", ("父", "爸爸", "之父")),
        Code("52", "母亲", "mother", ("母", "妈妈", "之母")),
        Code("53", "公公", "husband's father", ("夫之父",)),
        Code("54", "婆婆", "husband's mother", ("夫之母",)),
        Code("55", "岳父", "wife's father", ("丈人", "妻之父")),
        Code("56", "岳母", "wife's mother", ("丈母娘", "妻之母")),
        Code("57", "继父或养父", "stepfather or adoptive father", ("继父", "养父")),
        Code("58", "继母或养母", "stepmother or adoptive mother", ("继母", "养母")),
        Code("59", "其他父母关系", "other parent"),
        Code("60", "祖父母或外祖父母", "grandparent", ("祖父母", "外祖父母")),
        Code("61", "祖父", "father's father", ("爷爷",)),
        Code("62", "祖母", "father's mother", ("奶奶",)),
        Code("63", "外祖父", "mother's father", ("外公", "姥爷", "外爷")),
        Code("64", "外祖母", "mother's mother", ("外婆", "姥姥")),
        Code("65", "配偶的祖父母或外祖父母", "spouse's grandparent", ("配偶的祖父母",)),
        Code("66", "曾祖父", "great-grandfather"),
        Code("67", "曾祖母", "great-grandmother"),
        Code("68", "配偶的曾祖父母或外曾祖父母", "spouse's great-grandparent"),
        Code("69", "其他祖父母或外祖父母关系", "other grandparent"),
        Code("70", "兄弟姐妹", "sibling", ("兄弟姊妹",)),
        Code("71", "兄", "elder brother", ("哥", "哥哥", "之兄")),
        Code("72", "嫂", "elder brother's wife", ("嫂子",)),
        Code("73", "弟", "younger brother", ("弟弟", "之弟")),
        Code("74", "弟媳", "younger brother's wife", ("弟媳妇", "弟妹")),
        Code("75", "姐姐", "elder sister", ("姐", "姊", "之姐")),
        Code("76", "姐夫", "elder sister's husband"),
        Code("77", "妹妹", "younger sister", ("妹", "之妹")),
        Code("78", "妹夫", "younger sister's husband"),
        Code("79", "其他兄弟姐妹", "other sibling"),
        Code("80", "其他", "other", ("其它",)),
        Code("81", "伯父", "father's elder brother", ("伯伯", "大伯")),
        Code("82", "伯母", "father's elder brother's wife"),
        Code("83", "叔父", "father's younger brother", ("叔叔", "叔")),
        Code("84", "婶母", "father's younger brother's wife", ("婶婶", "婶")),
        Code("85", "舅父", "mother's brother", ("舅舅", "舅")),
        Code("86", "舅母", "mother's brother's wife", ("舅妈",)),
        Code("87", "姨父", "mother's sister's husband", ("姨夫",)),
        Code("88", "姨母", "mother's sister", ("姨妈", "姨")),
        Code("89", "姑父", "father's sister's husband", ("姑夫",)),
        Code("90", "姑母", "father's sister", ("姑妈", "姑姑", "姑")),
        Code("91", "堂兄弟、堂姐妹", "cousin, father's side", ("堂兄", "堂弟", "堂姐", "堂妹")),
        Code("92", "表兄弟、表姐妹", "cousin, mother's side", ("表兄", "表弟", "表姐", "表妹")),
        Code("93", "侄子", "brother's son", ("侄儿", "侄")),
        Code("94", "侄女", "brother's daughter"),
        Code("95", "外甥", "sister's son", ("外甥子",)),
        Code("96", "外甥女", "sister's daughter"),
        Code("97", "其他亲属", "other relative", ("亲属",)),
        Code("98", "保姆", "live-in help"),
        Code("99", "非亲属", "not related", ("无亲属关系",)),
    ),
)
