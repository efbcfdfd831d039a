"""Write docs/gallery.md from the pictures that tools/screenshots.py takes: one line a picture, in its order."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "docs" / "gallery.md"
TITLES = {
    "sign-in": "Sign in / 登录",
    "home": "Home of a duty officer / 值班员首页",
    "cockpit": "Cockpit / 驾驶舱",
    "wall": "Wall display 1920×1080 / 大屏",
    "wall-wide": "Wall display 3840×1080 / 拼接大屏",
    "map": "One map / 一张图",
    "search": "Search by initials / 拼音首字母检索",
    "facility": "One enterprise, one file / 一企一档",
    "outlet": "Outlet / 排放口",
    "value": "From the value to its packet / 从数值到报文",
    "station": "Air station / 空气站",
    "section": "River section / 断面",
    "region": "District / 旗县区",
    "packet": "Packet / 报文",
    "judgement": "Judgement / 判定过程",
    "device": "Data logger / 数采仪",
    "review": "Review queue / 数据审核",
    "review-day": "Review workbench / 审核工作台",
    "checks": "Catalogue of checks / 检查目录",
    "check": "One check / 检查项",
    "statistics": "Statistics of a station / 统计",
    "statistic": "One figure and its inputs / 一个统计值的来历",
    "device-health": "Device health / 设备健康",
    "maintainers": "Maintainers compared / 运维单位对比",
    "sampling": "Manual sampling / 手工采样",
    "marks": "Marks of an enterprise / 企业标记",
    "evidence": "Provenance / 溯源",
    "integrity": "Closed days / 数据封存",
    "problems": "Held and rejected packets / 暂存与拒收",
    "unregistered": "Unregistered devices / 未登记设备",
    "places": "Live states / 站点与排放口",
    "registers": "Catalogue of registers / 台账目录",
    "list": "Register / 台账列表",
    "permits": "Permits / 排污许可证",
    "record": "Record / 台账记录",
    "edit": "Form / 编辑",
    "history": "History / 变更历史",
    "schema": "Fields of a register / 字段说明",
    "import": "Import / 导入",
    "announcements": "Announcements / 公告",
    "portal": "Portal of an enterprise / 企业端",
    "public": "Public site / 公众网站",
    "system": "Health / 健康检查",
    "account": "Account with second factor / 我的账号",
    "home-dark": "Home, dark / 首页（深色）",
    "facility-dark": "Enterprise file, dark / 一企一档（深色）",
    "home-en": "Home in English / 首页（英文）",
    "facility-en": "Enterprise file in English / 一企一档（英文）",
    "list-en": "Register in English / 台账（英文）",
    "public-en": "Public site in English / 公众网站（英文）",
}


def main() -> None:
    """Write the page; a picture without a title, or a title without a picture, is an error."""
    pictures = {path.stem for path in (ROOT / "docs" / "screenshots").glob("*.jpg")}
    phones = sorted(name for name in pictures if name.startswith("phone-"))
    if odd := (pictures - set(phones)) ^ set(TITLES):
        raise SystemExit(f"pictures and titles differ: {', '.join(sorted(odd))}")
    lines = [
        "# Gallery / 截图",
        "",
        "Made by `python tools/screenshots.py` over `make demo`; all data is invented.",
        "",
    ]
    for name, title in TITLES.items():
        lines += [f"## {title}", "", f"![{re.sub(' / .*', '', title)}](screenshots/{name}.jpg)", ""]
    lines += ["## On a phone / 手机", ""]
    lines += [" ".join(f'<img src="screenshots/{name}.jpg" width="260" alt="{name}">' for name in phones), ""]
    GALLERY.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
