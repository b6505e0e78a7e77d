"""The Lua scripts of ``store.py``; Redis runs each one atomically.

The first argument is the *root* of all keys of an index, the second its *identity*. If the identity
differs, the index was deleted or replaced: the script changes nothing and returns ``GONE``.
"""

from __future__ import annotations

#: Returned by every script for a deleted index.
GONE = -2
#: Returned by ``SYNC``: the server has lost changes that this store saw, or no longer lists all
#: changes since.
LOST = -1
#: Returned by ``COMMIT`` instead of 1: another writer was faster; a number has been assigned twice.
OVERTAKEN, TAKEN = 0, 2

_IDENTITY = """
local root = ARGV[1]
if redis.call('GET', root .. 'i') ~= ARGV[2] then return {-2} end
"""

#: The token of a change, from its entry in the feed. The feed ends with change number ``sequence``;
#: each entry begins with its 16-byte token.
_FEED = """
local function token_of(change, sequence)
  local entry = redis.call('LINDEX', root .. 'f', change - sequence - 1)
  return entry and string.sub(entry, 1, 16)
end
"""

#: root, identity, changes seen (-1: first call), token of the last one -> {changes behind or -1,
#: sequence, entries of the feed...}.
SYNC = f"""{_IDENTITY}{_FEED}
local seen, sequence = tonumber(ARGV[3]), tonumber(redis.call('GET', root .. 's') or '0')
local known = redis.call('LLEN', root .. 'f')
local last = redis.call('LINDEX', root .. 'f', -1)
if seen > sequence or sequence - seen > known or (seen > 0 and sequence - seen < known and token_of(seen, sequence) ~= ARGV[4]) then
  return {{-1, sequence, last or ''}}
end
if seen == sequence then return {{0, sequence}} end
local answer = redis.call('LRANGE', root .. 'f', seen - sequence, -1)
table.insert(answer, 1, sequence)
table.insert(answer, 1, sequence - seen)
return answer
"""

#: A bucket of more than twice this many records is split: the first ``HEAD`` and the newest records
#: stay, the others move to the end of a second list (``q``), so that a lookup never reads a long
#: list.
HEAD = 512

#: root, identity, bucket, the four bytes that identify a key there, most values -> {0, records of
#: this key in order}.
FIND_LONG = f"""{_IDENTITY}
local head = redis.call('GETRANGE', root .. 'p' .. ARGV[3], 0, -1)
local list = string.sub(head, 1, 8 * {HEAD}) .. redis.call('GETRANGE', root .. 'q' .. ARGV[3], 0, -1) .. string.sub(head, 8 * {HEAD} + 1)
local most, records, from = tonumber(ARGV[5]), {{}}, 1
while #records < most do
  local at = string.find(list, ARGV[4], from, true)
  if not at then break end
  if at % 8 == 5 then records[#records + 1] = string.sub(list, at - 4, at + 3) end
  from = at + 1
end
return {{0, table.concat(records)}}
"""

#: A posting is 12 bytes: its bucket, and the record to append to the bucket.
_LIST = f"""
local function part(bucket)
  local name = root .. 'p' .. bucket
  redis.call('APPEND', root .. 'q' .. bucket, redis.call('GETRANGE', name, 8 * {HEAD}, -1))
  redis.call('SET', name, redis.call('GETRANGE', name, 0, 8 * {HEAD} - 1))
end
local function list_postings(postings)
  local name, sub, call = root .. 'p', string.sub, redis.call
  for at = 1, #postings, 12 do
    local bucket = sub(postings, at, at + 3)
    if call('APPEND', name .. bucket, sub(postings, at + 4, at + 11)) > 16 * {HEAD} then part(bucket) end
  end
end
local function keep_words(from, count)
  for at = from, from + 2 * count - 1, 2 do
    if ARGV[at + 1] == '' then redis.call('DEL', root .. 'w' .. ARGV[at]) else redis.call('SET', root .. 'w' .. ARGV[at], ARGV[at + 1]) end
  end
end
"""

#: A part of a large batch: postings, and words of new entries, which have no effect before their
#: entries exist. root, identity, expected sequence, token, number of the part, postings, (number,
#: words)... The mark ensures that a part sent twice, because its reply was lost, is stored once.
STAGE = f"""{_IDENTITY}{_LIST}
if tonumber(redis.call('GET', root .. 's') or '0') ~= tonumber(ARGV[3]) then return {{0}} end
local mark, part = root .. 'm' .. ARGV[4], tonumber(ARGV[5])
if tonumber(redis.call('GET', mark) or '0') >= part then return {{1}} end
redis.call('SET', mark, part, 'EX', 3600)
list_postings(ARGV[6])
keep_words(7, (#ARGV - 6) / 2)
return {{1}}
"""

#: root, identity, expected sequence, token of the change before, token, entry of the feed, length
#: of the feed, postings, removed numbers, counts of entries, words and events, number of new
#: entries (they come first), highest number, then (number, arrived, entry)..., (number, words)...,
#: events. If a new entry exists already, the server has lost its last writes and assigned a number
#: twice. The sequence is written first: with its memory full Redis refuses the first write of a
#: script, but never later ones. A batch that removes entries begins with a deletion instead, which
#: Redis never refuses because it frees memory.
COMMIT = f"""{_IDENTITY}{_FEED}{_LIST}
local expected, token, new, highest = tonumber(ARGV[3]), ARGV[5], tonumber(ARGV[13]), tonumber(ARGV[14])
local sequence = tonumber(redis.call('GET', root .. 's') or '0')
if sequence > expected and token_of(expected + 1, sequence) == token then
  redis.call('SET', root .. 's', sequence)
  return {{1}}
end
if sequence ~= expected or (expected > 0 and token_of(expected, sequence) ~= ARGV[4]) then return {{0}} end
for at = 15, 15 + 3 * (new - 1), 3 do
  if redis.call('EXISTS', root .. 'e' .. ARGV[at]) == 1 then return {{2}} end
end
if ARGV[9] ~= '' then redis.call('DEL', root .. 'm' .. token) end
redis.call('SET', root .. 's', sequence + 1)
if tonumber(redis.call('GET', root .. 'n') or '0') <= highest then redis.call('SET', root .. 'n', highest + 1) end
if tonumber(redis.call('GET', root .. 'l') or '-1') < highest then redis.call('SET', root .. 'l', highest) end
redis.call('RPUSH', root .. 'f', ARGV[6])
redis.call('LTRIM', root .. 'f', -tonumber(ARGV[7]), -1)
local entries, words, events, copies, at = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), 0, 15
for _ = 1, entries do
  local name = root .. 'e' .. ARGV[at]
  if redis.call('GETRANGE', name, 0, 0) == 'c' then copies = copies - 1 end
  if string.sub(ARGV[at + 2], 1, 1) == 'c' then copies = copies + 1 end
  redis.call('SET', name, ARGV[at + 2])
  redis.call('ZADD', root .. 'a', ARGV[at + 1], ARGV[at])
  at = at + 3
end
keep_words(at, words)
at = at + 2 * words
for event = at, at + events - 1 do redis.call('RPUSH', root .. 'v', ARGV[event]) end
for from = 1, #ARGV[9], 4 do
  local number = string.sub(ARGV[9], from, from + 3)
  if redis.call('GETRANGE', root .. 'e' .. number, 0, 0) == 'c' then copies = copies - 1 end
  if redis.call('DEL', root .. 'e' .. number) == 1 then redis.call('SADD', root .. 'g', number) end
  redis.call('DEL', root .. 'w' .. number)
  redis.call('ZREM', root .. 'a', number)
end
if copies ~= 0 then redis.call('INCRBY', root .. 'c', copies) end
list_postings(ARGV[8])
return {{1}}
"""

#: root, identity, bucket, its two lists as read before, the two lists to replace them -> {0 if they
#: have changed, except for records appended meanwhile, which stay; else 1}.
REPACK = f"""{_IDENTITY}
local head, apart, old = root .. 'p' .. ARGV[3], root .. 'q' .. ARGV[3], ARGV[4]
local list = redis.call('GETRANGE', head, 0, -1)
if string.sub(list, 1, #old) ~= old or redis.call('GETRANGE', apart, 0, -1) ~= ARGV[5] then return {{0}} end
local function put(name, value)
  if value == '' then redis.call('DEL', name) else redis.call('SET', name, value) end
end
redis.call('DEL', head, apart)  -- first: never refused where memory is used up
put(apart, ARGV[7])
put(head, ARGV[6] .. string.sub(list, #old + 1))
return {{1}}
"""
