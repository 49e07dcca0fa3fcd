-- Small files that tests make for themselves.
local files = {}

-- A new folder; files.remove(path) takes it away.
function files.folder()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute(("mkdir '%s'"):format(path)))
  return path
end

function files.remove(path)
  assert(os.execute(("rm -r '%s'"):format(path)))
end

-- Writes a file, and the folders that it is in. Returns its path.
function files.write(folder, name, content)
  local path = folder .. "/" .. name
  assert(os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/")))
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

-- An NPY file: files.npy("<f4", "(2, 3)", bytes).
function files.npy(descr, shape, bytes)
  local header = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n"):format(descr, shape)
  return "\x93NUMPY\1\0" .. string.pack("<s2", header) .. bytes
end

local function crc32(bytes)
  local sum = 0xFFFFFFFF
  for i = 1, #bytes do
    sum = sum ~ bytes:byte(i)
    for _ = 1, 8 do sum = sum >> 1 ~ (sum & 1) * 0xEDB88320 end
  end
  return sum ~ 0xFFFFFFFF
end

local function adler32(bytes)
  local a, b = 1, 0
  for i = 1, #bytes do
    a = (a + bytes:byte(i)) % 65521
    b = (b + a) % 65521
  end
  return b << 16 | a
end

local function chunk(kind, content)
  return string.pack(">I4", #content) .. kind .. content .. string.pack(">I4", crc32(kind .. content))
end

-- A PNG of 8 bits, not compressed; channels: 1 grey, 3 colours, 4 with alpha.
function files.png(height, width, channels, pixels)
  local rows, row = {}, width * channels
  for y = 1, height do rows[y] = "\0" .. pixels:sub((y - 1) * row + 1, y * row) end
  local raw = table.concat(rows)
  local kind = ({ 0, nil, 2, 6 })[channels]
  return "\x89PNG\r\n\x1A\n"
    .. chunk("IHDR", string.pack(">I4I4BBBBB", width, height, 8, kind, 0, 0, 0))
    .. chunk("IDAT", "\x78\1" .. string.pack("<BI2I2", 1, #raw, ~#raw & 0xFFFF) .. raw
      .. string.pack(">I4", adler32(raw)))
    .. chunk("IEND", "")
end

-- A record of CIFAR-10 in one colour.
function files.cifar(label, red, green, blue)
  return string.char(label) .. string.char(red):rep(1024) .. string.char(green):rep(1024) .. string.char(blue):rep(1024)
end

return files
