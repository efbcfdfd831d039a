#!/usr/bin/env bash
# As root on Debian or Ubuntu, install the browsers and the Chinese fonts that the browser tests need, when missing.
# Elsewhere say what is missing; the browser tests then skip with a message.
set -u
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing+=(firefox-esr)
[ -n "$(fc-list :lang=zh 2>/dev/null | head -1)" ] || missing+=(fonts-noto-cjk)
[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} for the browser tests"
  log=$(mktemp)
  apt-get update -qq >"$log" 2>&1
  for package in "${missing[@]}"; do # one by one: not every system has all of them
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >>"$log" 2>&1 || failed=1
  done
  [ -z "${failed:-}" ] && exit 0
  tail -5 "$log"
fi
echo "not here: ${missing[*]}; browser tests that need them will be skipped / 缺少上述软件，跳过相应的浏览器测试"
