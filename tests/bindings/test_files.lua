local core = require "luanas.core"
local lu = require "luaunit"
local files = require "sample_files"
local raises = require("support").raises

local tests = {}

-- test(folder) in a new folder, which goes away again.
local function in_folder(test)
  return function()
    local folder = files.folder()
    local ok, message = xpcall(test, function(m) return type(m) == "string" and debug.traceback(m) or m end, folder)
    files.remove(folder)
    if not ok then error(message, 0) end
  end
end

-- The world failed: nil, a message with that part, a code.
local function failed(code, part, result, message, found)
  lu.assertNil(result)
  lu.assertStrContains(message, part)
  lu.assertEquals(found, code)
end

-- ---- NPY -------------------------------------------------------------------------------------------

tests.test_npy = in_folder(function(folder)
  local path = files.write(folder, "a.npy", files.npy("<i8", "(2, 2)", string.pack("<i8i8i8i8", 1, -2, 3, 4)))
  local tensor = core.read_npy(path)
  lu.assertEquals(tensor:dtype(), "int32")
  lu.assertEquals(tensor:totable(), { { 1, -2 }, { 3, 4 } })
end)

tests.test_npy_failures = in_folder(function(folder)
  failed("NAS_IO", "/nowhere/a.npy cannot be opened", core.read_npy "/nowhere/a.npy")
  local path = files.write(folder, "a.npy", files.npy(">f4", "(1,)", "abcd"))
  failed("NAS_FORMAT", "a.npy, byte 20: type '>f4' is big-endian; save x.astype('<f4')", core.read_npy(path))
  raises("bad argument #1", core.read_npy)
  raises("path contains a zero byte", core.read_npy, "a\0")
end)

-- ---- PNG -------------------------------------------------------------------------------------------

tests.test_png = in_folder(function(folder)
  local path = files.write(folder, "a.png", files.png(2, 1, 3, "\1\2\3\4\5\6"))
  local image = core.read_png(path)
  lu.assertEquals(image:dtype(), "uint8")
  lu.assertEquals(image:totable(), { { { 1, 2, 3 } }, { { 4, 5, 6 } } })
  path = files.write(folder, "b.png", files.png(1, 2, 4, "\1\2\3\xFF\1\2\3\x80"))
  failed("NAS_FORMAT", "b.png: row 0, column 1 is transparent", core.read_png(path))
  lu.assertEquals(core.read_png(path, { background = 255 }):totable(), { { { 1, 2, 3 }, { 128, 128, 129 } } })
  lu.assertEquals(core.read_png(files.write(folder, "g.png", files.png(1, 1, 1, "\7")), { rgb = true }):totable(),
    { { { 7, 7, 7 } } })
  raises("png: background is 256; expected an integer from 0 to 255", core.read_png, path, { background = 256 })
  raises("png: background is -1; expected an integer from 0 to 255", core.read_png, path, { background = -1 })
  raises('png: unknown option "distinct"; known options: background, rgb', core.read_png, path, { distinct = true })
  failed("NAS_FORMAT", "c.png: not a PNG file", core.read_png(files.write(folder, "c.png", "text")))
  failed("NAS_IO", "d.png cannot be opened", core.read_png(folder .. "/d.png"))
end)

tests.test_written_png = in_folder(function(folder)
  local path, image = folder .. "/a.png", core.tensor_from({ { { 1, 2, 3 }, { 4, 5, 255 } } }, "uint8")
  lu.assertTrue(core.write_png(path, image))
  lu.assertEquals(core.read_png(path), image)
  lu.assertTrue(core.write_png(path, image:select(3, 3))) -- in the place of the old one, from a view
  lu.assertEquals(core.read_png(path):totable(), { { { 3 }, { 255 } } })
  failed("NAS_IO", "b/a.png", core.write_png(folder .. "/b/a.png", image))
  raises("png: the image is float32; expected uint8", core.write_png, path, core.tensor { 2, 2 })
  raises("png: the image is [4]; expected [height, width]", core.write_png, path, core.tensor({ 4 }, "uint8"))
  raises("bad argument #2", core.write_png, path, "image")
  raises("path contains a zero byte", core.write_png, "a\0", image)
end)

tests.test_png_folder = in_folder(function(folder)
  files.write(folder, "dog/1.png", files.png(1, 2, 1, "ab"))
  files.write(folder, "cat/1.PNG", files.png(1, 2, 1, "cd"))
  files.write(folder, "cat/2.png", files.png(1, 2, 1, "ef"))
  local images, labels, names = core.read_png_folder(folder)
  lu.assertEquals(images:shape(), { 3, 1, 2, 1 })
  lu.assertEquals(images:reshape({ 6 }):totable(), { ("cdefab"):byte(1, 6) })
  lu.assertEquals(labels:dtype(), "int32")
  lu.assertEquals(labels:totable(), { 1, 1, 2 })
  lu.assertEquals(names, { "cat", "dog" })
  images, labels, names = core.read_png_folder(folder, { rgb = true }, { "dog", "cat" })
  lu.assertEquals({ images:shape(), labels:totable(), names }, { { 3, 1, 2, 3 }, { 1, 2, 2 }, { "dog", "cat" } })
  files.write(folder, "cat/3.png", files.png(1, 2, 1, "cd"))
  lu.assertEquals(#core.read_png_folder(folder), 4)
  lu.assertEquals(#core.read_png_folder(folder, { distinct = true }), 3)
  raises("folder 2 is 3; expected a string", core.read_png_folder, folder, {}, { "cat", 3 })
  raises("0 folders; expected 1 to 1000", core.read_png_folder, folder, {}, {})
  raises("png: 1 folders; expected at least 2", core.read_png_folder, folder, {}, { "cat" })
  files.write(folder, "eel/1.png", files.png(2, 1, 1, "ab"))
  failed("NAS_FORMAT", "eel/1.png is 2x1", core.read_png_folder(folder))
  failed("NAS_IO", "absent cannot be opened", core.read_png_folder(folder .. "/absent"))
end)

-- ---- CIFAR -----------------------------------------------------------------------------------------

tests.test_cifar = in_folder(function(folder)
  local first = files.write(folder, "1.bin", files.cifar(0, 1, 2, 3) .. files.cifar(9, 4, 5, 6))
  local second = files.write(folder, "2.bin", files.cifar(3, 7, 8, 9))
  local images, labels = core.read_cifar({ first, second }, "cifar10")
  lu.assertEquals(images:shape(), { 3, 32, 32, 3 })
  lu.assertEquals(images:select(1, 3):select(1, 32):select(1, 32):totable(), { 7, 8, 9 })
  lu.assertEquals(labels:totable(), { 1, 10, 4 })
  local path = files.write(folder, "100.bin", "\19" .. files.cifar(99, 1, 2, 3))
  for kind, class in pairs { cifar100 = 100, ["cifar100-coarse"] = 20 } do
    images, labels = core.read_cifar({ path }, kind)
    lu.assertEquals(images:shape(), { 1, 32, 32, 3 })
    lu.assertEquals(labels:totable(), { class })
  end
  failed("NAS_FORMAT", "100.bin: the length is 3074 bytes; expected records of 3073 bytes",
    core.read_cifar({ first, path }, "cifar10"))
  failed("NAS_IO", "absent cannot be opened", core.read_cifar({ folder .. "/absent" }, "cifar10"))
end)

function tests.test_cifar_arguments()
  raises("bad argument #1", core.read_cifar, "a", "cifar10")
  raises("0 paths; expected 1 to 1000", core.read_cifar, {}, "cifar10")
  raises("path 2 is 3; expected a string", core.read_cifar, { "a", 3 }, "cifar10")
  raises("path contains a zero byte", core.read_cifar, { "a\0" }, "cifar10")
  raises("invalid option 'cifar'", core.read_cifar, { "a" }, "cifar")
  raises("bad argument #2", core.read_cifar, { "a" })
end

-- ---- CSV -------------------------------------------------------------------------------------------

local PLANTS = "leaf,kind,petals\n1.5,rose,5\n2,tulip,6\n-.5,rose,10\n"

tests.test_csv = in_folder(function(folder)
  local csv = core.read_csv(files.write(folder, "plants.csv", PLANTS))
  lu.assertEquals(csv:names(), { "leaf", "kind", "petals" })
  lu.assertEquals(#csv, 3)
  lu.assertEquals(tostring(csv), "luanas.Csv: 3 rows of 3 columns")
  lu.assertEquals({ csv:is_numeric "leaf", csv:is_numeric "kind", csv:is_numeric(3) }, { true, false, true })
  lu.assertEquals(csv:numbers({ 3, "leaf" }):totable(), { { 5, 1.5 }, { 6, 2 }, { 10, -0.5 } })
  lu.assertEquals({ csv:cell(1, "kind"), csv:cell(-1, 2), csv:cell(3, 3) }, { "rose", "rose", "10" })
  local labels, names = csv:labels "kind"
  lu.assertEquals(labels:dtype(), "int32")
  lu.assertEquals(labels:totable(), { 1, 2, 1 })
  lu.assertEquals(names, { "rose", "tulip" })
  labels, names = csv:labels "petals"
  lu.assertEquals(labels:totable(), { 1, 2, 3 })
  lu.assertEquals(names, { "5", "6", "10" })
end)

tests.test_csv_options = in_folder(function(folder)
  local path = files.write(folder, "a.csv", "1|2,5\n3|4\n")
  local csv = core.read_csv(path, { delimiter = "|", header = false })
  lu.assertEquals(csv:names(), { "1", "2" })
  lu.assertEquals(csv:cell(1, 2), "2,5")
  lu.assertEquals(csv:cell(1, "1"), "1")
  raises('csv: delimiter is ""; expected one of', core.read_csv, path, { delimiter = "" })
  raises('csv: delimiter is ",,"', core.read_csv, path, { delimiter = ",," })
  raises("csv: delimiter is byte 0x61; expected one of", core.read_csv, path, { delimiter = "a" })
  raises("csv: header is 1; expected true or false", core.read_csv, path, { header = 1 })
  raises('csv: unknown option "head"; known options: delimiter, header', core.read_csv, path, { head = true })
end)

tests.test_csv_failures = in_folder(function(folder)
  failed("NAS_IO", "absent cannot be opened", core.read_csv(folder .. "/absent"))
  failed("NAS_FORMAT", "a.csv, line 2: the number of cells is 1; expected 2",
    core.read_csv(files.write(folder, "a.csv", "a,b\n1\n")))
  local csv = core.read_csv(files.write(folder, "b.csv", "x,y\n1,2\nNA,\n"))
  failed("NAS_FORMAT", 'b.csv, line 3, column "x": the cell is "NA"; expected a number', csv:numbers { "x" })
  failed("NAS_FORMAT", 'b.csv, line 3, column "y": the cell is empty; expected a class', csv:labels "y")
end)

tests.test_csv_arguments = in_folder(function(folder)
  local csv = core.read_csv(files.write(folder, "plants.csv", PLANTS))
  raises('there is no column "Leaf"; columns: leaf, kind, petals', csv.labels, csv, "Leaf")
  raises('there is no column "x"; columns: leaf, kind, petals', csv.numbers, csv, { 1, "x" })
  raises("column is 4; expected a name, or an integer from 1 to 3", csv.is_numeric, csv, 4)
  raises("column is 1.5; expected a name", csv.cell, csv, 1, 1.5)
  raises("column is nil; expected a name", csv.labels, csv, nil)
  raises("bad argument #2", csv.labels, csv)
  raises("row is 4; expected 1 to 3, or -1 to -3", csv.cell, csv, 4, 1)
  raises("no columns; expected at least 1", csv.numbers, csv, {})
  csv:close()
  csv:close()
  lu.assertEquals(tostring(csv), "luanas.Csv (closed)")
  raises("this luanas.Csv is closed", csv.names, csv)
end)

return tests
