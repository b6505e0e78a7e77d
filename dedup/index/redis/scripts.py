"""The Lua scripts of ``redis_store.py``. Redis runs each as a whole: nobody sees half of one, and nobody writes in between.

All keys of an index begin with the first argument, its *root*. The second one is its *identity*: what is written under the root when it is
made. A script that finds another identity there changes nothing and answers ``GONE``.
"""

from __future__ import annotations

#: What a script answers instead of its result.
GONE = -2
#: The server knows less than this store has seen, or no longer what changed since.
LOST = -1
#: Further answers of ``COMMIT``.
DONE, OVERTAKEN, TAKEN = 1, 0, 2

_IDENTITY = """
local root = ARGV[1]
if redis.call('GET', root .. 'i') ~= ARGV[2] then return {-2} end
"""

#: The change of which ``token`` tells is the ``expected``-th: the feed's last entries are those up to ``sequence``. An entry begins with
#: its 16 bytes of token.
_FEED = """
local function token_of(change, sequence)
  local entry = redis.call('LINDEX', root .. 'f', change - sequence - 1)
  return entry and string.sub(entry, 1, 16)
end
"""

#: root, identity, changes seen (-1: the first look), the token of the last one -> {behind or -1, sequence, entry of the feed...}.
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

#: A list of more than twice so many records is parted: the first so many and the latest stay, those between go to the end of
#: another list (``q``), so that a list that is looked up is never long.
HEAD = 512

#: root, identity, bucket, the four bytes by which a key is told there, how many values at most -> {0, records of this key in order}.
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

#: A posting is 12 bytes: its bucket, and the record that the bucket's list gets.
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

#: A part of a large batch that nobody notices before its entries are there: postings, and words of new entries.
#: root, identity, expected sequence, token, number of the part, postings, (number, words)... The mark makes that a part that is sent twice,
#: as its answer was lost, is taken once.
STAGE = f"""{_IDENTITY}{_LIST}
if tonumber(redis.call('GET', root .. 's') or '0') ~= tonumber(ARGV[3]) then return {{0}} end
local mark, part = root .. 'm' .. ARGV[4], tonumber(ARGV[5])
if tonumber(redis.call('GET', mark) or '0') >= part then return {{1}} end
redis.call('SET', mark, part, 'EX', 3600)
list_postings(ARGV[6])
keep_words(7, (#ARGV - 6) / 2)
return {{1}}
"""

#: root, identity, expected sequence, token of the change before, token, entry of the feed, how long the feed is kept, postings, removed
#: numbers, entries, words, events (so many of each), how many entries are new (they come first), the highest number, then (number, arrived,
#: entry)..., (number, words)..., events. A server that lost its last second has given a number twice if an entry that is new exists.
#: The first thing written is the sequence: where memory is used up Redis refuses that, and a script that has written may go on to its end.
#: What removes entries begins with a deletion, which is never refused, for it makes room.
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

#: root, identity, bucket, its list and the part kept apart as they were, what takes their places -> {0 if they are no longer so}. What was
#: appended meanwhile stays.
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
