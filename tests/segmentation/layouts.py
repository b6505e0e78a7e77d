"""HTML layouts of Arabic news sites, filled with the texts of a test."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

MENU = "".join(f'<li><a href="/{i}">{name}</a></li>' for i, name in enumerate(("الرئيسية", "أخبار محلية", "اقتصاد", "رياضة", "ثقافة وفن")))


def paragraphs(texts: Sequence[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>\n" for text in texts)


def links(titles: Sequence[str]) -> str:
    return "<ul>" + "".join(f'<li><a href="/n/{i}">{escape(title)}</a></li>' for i, title in enumerate(titles)) + "</ul>"


def plain(title: str, texts: Sequence[str], related: Sequence[str] = ()) -> str:
    """Semantic elements, metadata of Open Graph and JSON-LD, related links in an aside."""
    return f"""<!DOCTYPE html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>{escape(title)} - صحيفة المدى</title>
<meta property="og:title" content="{escape(title)}"><meta property="og:site_name" content="صحيفة المدى">
<link rel="canonical" href="https://almada.example/news/77">
<script type="application/ld+json">{{"@type": "NewsArticle", "datePublished": "2026-03-05T21:30:00+03:00", "author": {{"name": "ليلى حداد"}}}}</script>
<style>p {{ color: red }}</style></head><body>
<header><a href="/">صحيفة المدى</a><nav><ul>{MENU}</ul></nav></header>
<main><article><h1>{escape(title)}</h1><div class="share-bar"><a href="#">شارك على فيسبوك</a></div>
<figure><img src="x.jpg" alt="صورة"><figcaption>جانب من اللقاء أمس</figcaption></figure>
{paragraphs(texts)}</article></main>
<aside><h3>أخبار ذات صلة</h3>{links(related)}</aside>
<section id="comments"><h3>التعليقات</h3><p>أضف تعليقك</p></section>
<footer><p>جميع الحقوق محفوظة لصحيفة المدى 2026، ولا يجوز نسخ أي مادة منها من غير إذن مكتوب</p></footer>
<script>var text = "<p>هذا ليس نصا</p>";</script></body></html>"""


def old(title: str, texts: Sequence[str], related: Sequence[str] = ()) -> str:
    """Tables, line breaks instead of paragraphs, unclosed formatting tags, a related block."""
    lines = "<br><br>\n".join(escape(text) for text in texts)
    return f"""<html dir=rtl><head><meta http-equiv=Content-Type content="text/html; charset=utf-8"><title>{escape(title)} | وكالة النهر</title>
</head><body bgcolor=white><table width=100%><tr><td class=menu><ul>{MENU}</ul></td></tr><tr><td>
<font size=5><b>{escape(title)}</b></font><div class=news_body><font size=3>{lines}</div></td></tr>
<tr><td><div class=related_news><b>مواضيع ذات صلة</b>{links(related)}</div></td></tr></table></body></html>"""


def divided(title: str, texts: Sequence[str], related: Sequence[str] = ()) -> str:
    """Nothing but blocks, no semantic element; microdata; one related link per block."""
    cards = "".join(f'<div class="card"><a href="/{i}"><span>{escape(text)}</span></a></div>' for i, text in enumerate(related))
    return f"""<!doctype html><html><head><title>{escape(title)} :: شبكة الأفق</title><meta name="pubdate" content="05/03/2026"></head>
<body><div id="wrap"><div class="top"><div class="date">السبت 11 أبريل 2026</div>{MENU}</div><div class="page"><div class="col-8">
<div class="post-title"><h1>{escape(title)}</h1></div><div class="post-caption">صورة من الأرشيف للقاء سابق</div>
<div itemprop="articleBody">{paragraphs(texts)}</div><div class="tags-share">مشاركة</div></div>
<div class="col-4 sidebar">{cards}</div></div></div></body></html>"""
