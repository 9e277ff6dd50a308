-- Limits that many gateways share. One call is one request in JSON, ARGV[1], and one answer in JSON.
-- It is atomic: everything is looked at before anything is taken. Redis's own clock counts.
--
-- Times are milliseconds with three decimals, amounts of money billionths of a dollar. Names of keys
-- are made here, so this is for one Redis, not for a cluster.
--
--   <p>epoch       run and since: which life of the data this is
--   <p>members     gateways, by when they were last heard of
--   <p>owed        gateways that died while they could not reach us, by when what they may have granted is over
--   <p><e>:r:<k>   grants of requests of the key k in the epoch e, by time
--   <p><e>:t:<k>   grants of tokens, by time; t#: the amounts, their sum as "", and as "short" the one that
--                  was given less than its most
--   <p><e>:c:<k>   leases, by when they expire; c#: what each one holds, and the sums as "u" and "i";
--                  x: those that expired, and what they were charged, or that must not be granted any more ("void")
--   <p><e>:b:<k>:<period>   spent and reserved, and as "short" the lease that was given less than its most

local ask = cjson.decode(ARGV[1])
local p = ask.prefix
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local function exact(number) return string.format('%.3f', number) end
-- Adding 0 makes a 0 of -0, which Redis takes for no number.
local function whole(number) return string.format('%.0f', number + 0) end

-- A gateway that has not heard of us for so long does not speak of now: what it sends may have lain somewhere.
if ask.op ~= 'join' and now - tonumber(ask.seen) > ask.quiet then
  return cjson.encode({ late = true, now = exact(now) })
end

-- Data that was lost, or taken back to an older state, can't say what was granted: a new epoch, and a
-- window in which nothing is.
local epoch = redis.call('HMGET', p .. 'epoch', 'run', 'since')
if epoch[1] ~= ask.run or not epoch[2] then
  epoch = { ask.run, exact(now) }
  redis.call('HSET', p .. 'epoch', 'run', epoch[1], 'since', epoch[2])
end
local closed = tonumber(epoch[2]) + ask.window - now
local e = p .. epoch[2]
local gone = math.ceil(ask.window + ask.ttl)

-- Gateways that are not heard of may be spending their share: it is taken off everybody's limits.
local members = p .. 'members'
redis.call('ZREMRANGEBYSCORE', members, '-inf', exact(now - ask.forget))
local known = redis.call('ZSCORE', members, ask.gateway)
local member = known or (ask.op == 'join' and redis.call('ZCARD', members) < ask.gateways)
if ask.op == 'leave' then
  redis.call('ZREM', members, ask.gateway)
elseif member then
  redis.call('ZADD', members, exact(now), ask.gateway)
end
local owed = p .. 'owed'
if ask.fresh and known and now - tonumber(known) > ask.quiet then
  redis.call('ZADD', owed, exact(now + ask.window), ask.gateway)
end
redis.call('ZREMRANGEBYSCORE', owed, '-inf', exact(now))
local missing = redis.call('ZCOUNT', members, '-inf', exact(now - ask.quiet)) + redis.call('ZCARD', owed)

local function reduced(limit) return math.max(0, limit - missing * math.floor(limit / ask.gateways)) end

-- For so long at least.
local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end
local hour, day = 3600000, 86400000

local function expire_tokens(k)
  local times, amounts = e .. ':t:' .. k, e .. ':t#:' .. k
  while true do
    local old = redis.call('ZRANGEBYSCORE', times, '-inf', exact(now - ask.window), 'LIMIT', 0, 500)
    if #old == 0 then return end
    local sum = 0
    for _, amount in ipairs(redis.call('HMGET', amounts, unpack(old))) do sum = sum + (tonumber(amount) or 0) end
    redis.call('HDEL', amounts, unpack(old))
    redis.call('ZREM', times, unpack(old))
    redis.call('HINCRBY', amounts, '', whole(-sum))
  end
end

local function take_tokens(k, id, at, amount)
  local times, amounts = e .. ':t:' .. k, e .. ':t#:' .. k
  redis.call('ZADD', times, exact(at), id)
  redis.call('HSET', amounts, id, whole(amount))
  redis.call('HINCRBY', amounts, '', whole(amount))
  keep(times, gone)
  keep(amounts, gone)
end

local function take_request(k, id, at)
  redis.call('ZADD', e .. ':r:' .. k, exact(at), id)
  keep(e .. ':r:' .. k, gone)
end

-- A lease: u units, i images, n reserved of the budget period b, which ends at x.
local function page(k, lease) return e .. ':b:' .. k .. ':' .. lease.b end

-- False where the period is not known here: it will begin with what the log says.
local function charge(k, lease, reserved, spent)
  if not lease.b then return false end
  local name = page(k, lease)
  if redis.call('EXISTS', name) == 0 then return false end
  redis.call('HINCRBY', name, 'reserved', whole(reserved))
  redis.call('HINCRBY', name, 'spent', whole(spent))
  return true
end

local function add_lease(k, id, lease)
  local ends, held = e .. ':c:' .. k, e .. ':c#:' .. k
  redis.call('ZADD', ends, exact(now + ask.ttl), id)
  redis.call('HSET', held, id, cjson.encode(lease))
  redis.call('HINCRBY', held, 'u', whole(lease.u))
  redis.call('HINCRBY', held, 'i', whole(lease.i))
  -- What is reserved of a period must be given back as long as that is known.
  local ms = lease.b and lease.x - now + day or gone
  keep(ends, math.max(ms, gone))
  keep(held, math.max(ms, gone))
  charge(k, lease, lease.n, 0)
end

-- Without word of its end a lease is charged what was reserved. Returns what was charged, nil where there is no such lease.
local function drop_lease(k, id, spent)
  local ends, held = e .. ':c:' .. k, e .. ':c#:' .. k
  local text = redis.call('HGET', held, id)
  if not text then return nil end
  local lease = cjson.decode(text)
  redis.call('HDEL', held, id)
  redis.call('ZREM', ends, id)
  redis.call('HINCRBY', held, 'u', whole(-lease.u))
  redis.call('HINCRBY', held, 'i', whole(-lease.i))
  return charge(k, lease, -lease.n, spent or lease.n) and (spent or lease.n) or 0
end

local function expire_leases(k)
  local old = redis.call('ZRANGEBYSCORE', e .. ':c:' .. k, '-inf', exact(now))
  for _, id in ipairs(old) do
    local charged = drop_lease(k, id, nil)
    redis.call('HSET', e .. ':x:' .. k, id, whole(charged or 0))
    keep(e .. ':x:' .. k, hour)
  end
end

-- What it was charged when it expired; nil where it did not. It is forgotten with that.
local function charged_for(k, id)
  local charged = tonumber(redis.call('HGET', e .. ':x:' .. k, id) or '')
  if charged then redis.call('HDEL', e .. ':x:' .. k, id) end
  return charged
end

-- Held on by its gateway; put back when it is not here any more.
local function renew(lease)
  local held = e .. ':c#:' .. lease.k
  if redis.call('HEXISTS', held, lease.id) == 1 then
    redis.call('ZADD', e .. ':c:' .. lease.k, exact(now + ask.ttl), lease.id)
    keep(e .. ':c:' .. lease.k, gone)
    keep(held, gone)
  else
    charge(lease.k, lease.h, 0, -(charged_for(lease.k, lease.id) or 0))
    add_lease(lease.k, lease.id, lease.h)
  end
end

local function settle(item)
  local k = item.k
  local amounts = e .. ':t#:' .. k
  local amount = redis.call('HGET', amounts, item.id)
  if amount then
    redis.call('HINCRBY', amounts, '', whole(item.t - tonumber(amount)))
    redis.call('HSET', amounts, item.id, whole(item.t))
    if redis.call('HGET', amounts, 'short') == item.id then redis.call('HDEL', amounts, 'short') end
  end
  -- What is said again may have been done; only a lease that is still here says that it was not.
  local new = item.again ~= ask.run
  local own = item.h and item.h.b
  if item.h then
    if drop_lease(k, item.id, item.n) then new = true
    elseif item.void then
      redis.call('HSET', e .. ':x:' .. k, item.id, 'void')
      keep(e .. ':x:' .. k, hour)
    else
      local charged = charged_for(k, item.id)
      if charged then new = true end
      -- Of a lease that nobody knows the whole is charged: it ended where we could not be reached.
      if new then charge(k, item.h, 0, item.n - (charged or 0)) end
    end
  end
  if not new then return end
  -- Its key had no budget when it was admitted, or another one.
  for _, period in ipairs(item.p or {}) do
    if period ~= own then charge(k, { b = period }, 0, item.n) end
  end
end

local function standing(k)
  redis.call('ZREMRANGEBYSCORE', e .. ':r:' .. k, '-inf', exact(now - ask.window))
  expire_tokens(k)
  local function reset(key)
    local newest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return newest[2] and tonumber(newest[2]) + ask.window - now or 0
  end
  return {
    r = redis.call('ZCARD', e .. ':r:' .. k),
    rr = reset(e .. ':r:' .. k),
    t = tonumber(redis.call('HGET', e .. ':t#:' .. k, '') or 0),
    tr = reset(e .. ':t:' .. k),
  }
end

-- As `../room.ts` decides.
local function room_for(most, likely, free, is_short)
  if most <= free then return most end
  return likely <= free and not is_short and free or nil
end

local function wait_for_requests(k, limit)
  local over = redis.call('ZCARD', e .. ':r:' .. k) + 1 - limit
  if over <= 0 then return 0 end
  local entry = redis.call('ZRANGE', e .. ':r:' .. k, over - 1, over - 1, 'WITHSCORES')
  return entry[2] and tonumber(entry[2]) + ask.window - now or ask.window
end

local function wait_for_tokens(k, amount, limit)
  local amounts = e .. ':t#:' .. k
  local over = tonumber(redis.call('HGET', amounts, '') or 0) + amount - limit
  local from = 0
  while over > 0 do
    local some = redis.call('ZRANGE', e .. ':t:' .. k, from, from + 199, 'WITHSCORES')
    if #some == 0 then return ask.window end
    for index = 1, #some, 2 do
      over = over - tonumber(redis.call('HGET', amounts, some[index]) or 0)
      if over <= 0 then return tonumber(some[index + 1]) + ask.window - now end
    end
    from = from + 200
  end
  return 0
end

-- What running calls have set aside of a period that nobody knew here when their leases were put back.
local function held_of(k, period)
  local sum = 0
  for _, text in ipairs(redis.call('HVALS', e .. ':c#:' .. k)) do
    local lease = string.sub(text, 1, 1) == '{' and cjson.decode(text) or nil
    if lease and lease.b == period then sum = sum + lease.n end
  end
  return sum
end

local function admit(claim)
  local k = claim.k
  if redis.call('HGET', e .. ':x:' .. k, claim.id) == 'void' then return { no = 'void' } end
  if closed > 0 then return { no = 'closed', w = closed } end
  redis.call('ZREMRANGEBYSCORE', e .. ':r:' .. k, '-inf', exact(now - ask.window))
  expire_tokens(k)
  expire_leases(k)
  local lease = claim.h
  local function refuse(why)
    local answer = standing(k)
    answer.no = why
    return answer
  end
  local money
  if lease and lease.b then
    local name = page(k, lease)
    if redis.call('EXISTS', name) == 0 then
      if not claim.start then return { no = 'unread' } end
      redis.call('HSET', name, 'spent', whole(claim.start), 'reserved', whole(held_of(k, lease.b)))
      keep(name, math.max(1, lease.x - now) + day)
    end
    local sums = redis.call('HMGET', name, 'spent', 'reserved', 'short')
    local left = claim.bl - tonumber(sums[1]) - tonumber(sums[2])
    local is_short = sums[3] and redis.call('HEXISTS', e .. ':c#:' .. k, sums[3]) == 1
    money = left > 0 and room_for(lease.n, claim.nk, left, is_short)
    if not money then
      local answer = refuse('budget')
      answer.l = left
      return answer
    end
  end
  local sums = redis.call('HMGET', e .. ':c#:' .. k, 'u', 'i')
  if claim.cl > 0 and tonumber(sums[1] or 0) + lease.u > reduced(claim.cl) then return refuse('units') end
  if claim.il > 0 and lease.i > 0 and tonumber(sums[2] or 0) + lease.i > reduced(claim.il) then
    return refuse('images')
  end
  local by_tokens, tokens = 0, claim.t
  if claim.tl > 0 then
    local amounts = e .. ':t#:' .. k
    local some = redis.call('HMGET', amounts, '', 'short')
    local is_short = some[2] and redis.call('HEXISTS', amounts, some[2]) == 1
    tokens = room_for(claim.t, claim.tk, reduced(claim.tl) - tonumber(some[1] or 0), is_short)
    if not tokens then
      by_tokens = wait_for_tokens(k, claim.tk, reduced(claim.tl))
      -- A running call is in its way, and nobody knows when that ends.
      if by_tokens <= 0 then by_tokens = 1000 end
    end
  end
  local by_requests = claim.rl > 0 and wait_for_requests(k, reduced(claim.rl)) or 0
  if by_requests > 0 or by_tokens > 0 then
    local answer = refuse(by_requests >= by_tokens and 'requests' or 'tokens')
    answer.w = math.max(by_requests, by_tokens)
    return answer
  end
  if claim.rl > 0 then take_request(k, claim.id, now) end
  if claim.tl > 0 then
    take_tokens(k, claim.id, now, tokens)
    if tokens < claim.t then redis.call('HSET', e .. ':t#:' .. k, 'short', claim.id) end
  end
  if lease then
    if money and money < lease.n then
      redis.call('HSET', page(k, lease), 'short', claim.id)
      lease.n = money
    end
    add_lease(k, claim.id, lease)
  end
  return standing(k)
end

local function look(k, period)
  expire_leases(k)
  local answer = standing(k)
  local sums = redis.call('HMGET', e .. ':c#:' .. k, 'u', 'i')
  answer.u = tonumber(sums[1] or 0)
  answer.i = tonumber(sums[2] or 0)
  local page_sums = period and redis.call('HMGET', e .. ':b:' .. k .. ':' .. period, 'spent', 'reserved')
  if page_sums and page_sums[1] then
    answer.s = tonumber(page_sums[1])
    answer.v = tonumber(page_sums[2])
  end
  return answer
end

-- What a gateway granted of its share while it could not reach us counts from its own moment.
local function report(grant)
  take_request(grant.k, grant.id, now - grant.age)
  local told = redis.call('HEXISTS', e .. ':t#:' .. grant.k, grant.id) == 1
  if grant.t > 0 and not told then take_tokens(grant.k, grant.id, now - grant.age, grant.t) end
end

for _, item in ipairs(ask.grants or {}) do report(item) end
for _, item in ipairs(ask.spends or {}) do charge(item.k, item, 0, item.n) end
for _, item in ipairs(ask.leases or {}) do renew(item) end
for _, item in ipairs(ask.settled or {}) do settle(item) end
local answers = {}
for index, claim in ipairs(ask.claims or {}) do answers[index] = admit(claim) end

return cjson.encode({
  now = exact(now),
  closed = math.max(0, closed),
  member = member and true or false,
  missing = missing,
  epoch = epoch[2],
  answers = #answers > 0 and answers or nil,
  look = ask.look and look(ask.look.k, ask.look.b) or nil,
})
