#!/usr/bin/env bash
# As root on Debian or Ubuntu, install the browser and the Chinese fonts that the browser tests need, when missing.
# Elsewhere say what is missing; the browser tests then skip with a message.
set -u
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
fonts=$(fc-list :lang=zh 2>/dev/null | head -1)
[ -n "$browser" ] && [ -n "$fonts" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium and fonts-noto-cjk for the browser tests"
  log=$(mktemp)
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >>"$log" 2>&1; then
    exit 0
  fi
  tail -5 "$log"
fi
echo "no Chromium or no Chinese font here: the browser tests will be skipped / 没有浏览器或中文字体，跳过浏览器测试"
