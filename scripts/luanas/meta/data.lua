---@meta luanas.data
-- luacheck: ignore

--- Data sets. Files are read when a study first needs them. Each set has a training and a validation split, drawn
--- by a seed of its own; test data is not opened. Classes are 1, 2, ... in Lua; each function tells how they are in
--- files. Files may be gzip'd, but for folders of images.
---@class luanas.data
local data = {}

---@class luanas.data.Split What all functions take besides their own options.
---@field validation? number How many images (rows of a table) validate: a count, or a fraction below 1 of all, rounded. Default: 0.1, at least one; fashion_mnist: 5000; synthetic: a fifth.
---@field split_seed? integer Of the draw; at least 0, default 0: the same split for all searches, so that they share evaluations.
---@field limit? integer Train on the first so many of the training images only; 0, the default: on all.
---@field stratified? boolean Draw from each class apart, in proportion; default: false.
---@field standardize? boolean Shift and scale inputs by mean and standard deviation of each channel or feature over the images that train; default: false.
---@field split? { training: integer[], validation: integer[] } Positions from 1, in place of a draw; others are left out.

--- Fashion-MNIST (Xiao et al. 2017): 60,000 images of 28x28x1 in 10 classes. Looked for in $LUANAS_DATA (the folder
--- itself, or its fashion-mnist), ${XDG_DATA_HOME:-~/.local/share}/luanas/fashion-mnist and
--- /usr/share/datasets/fashion-mnist; plain or gzip'd. Contents are checked against their SHA-256 sums.
---@param options? luanas.data.Split | { path?: string } path: the folder.
---@return luanas.Data
function data.fashion_mnist(options) end

---@class luanas.data.Idx: luanas.data.Split
---@field images string Path of an IDX file of bytes, {n, height, width} or {n, height, width, channels}; may be gzip'd.
---@field labels string Path of an IDX file, {n}. Label byte 0 is class 1.
---@field classes? integer At least 2, default 10.
---@field class_names? string[] One for each class.
---@field name? string
---@field images_sha256? string Expected sum of the decompressed content.
---@field labels_sha256? string
---@field test? { images: string, labels: string, images_sha256?: string, labels_sha256?: string } The test split, which only study:final reads.

--- A data set of your own, from IDX files.
---@param options luanas.data.Idx
---@return luanas.Data
function data.idx(options) end

---@class luanas.data.Tensors: luanas.data.Split
---@field x luanas.Tensor uint8, where v means v / 255, or float32; {n, features}, {n, height, width} or {n, height, width, channels}.
---@field y luanas.Tensor Classes {n}, from 1; or values {n} or {n, k}.
---@field classes? integer|boolean How many classes; true: as many as the largest; false: `y` has values. Default: true for uint8 and int32, false for float32.
---@field class_names? string[] One for each class.
---@field name? string
---@field test? { x: luanas.Tensor, y: luanas.Tensor } The test split, which only study:final looks at.

--- A data set of your own, from tensors, which are copied.
---@param options luanas.data.Tensors
---@return luanas.Data
function data.tensors(options) end

---@class luanas.data.Npy: luanas.data.Split
---@field x string Path of an array that NumPy saved by np.save: uint8 or bool, where v means v / 255; or int32, int64, float32, float64; shapes as in luanas.data.Tensors.
---@field y string Path of such an array. Classes count from 0 there: class k is k - 1.
---@field classes? integer|boolean As in luanas.data.Tensors.
---@field class_names? string[]
---@field name? string
---@field test? { x: string, y: string } The test split, which only study:final reads.

--- A data set of your own, from NPY files.
---@param options luanas.data.Npy
---@return luanas.Data
function data.npy(options) end

---@class luanas.data.Csv: luanas.data.Split
---@field path string
---@field target string|integer|(string|integer)[] The column of the classes, or the columns of the values, by name or by position from 1.
---@field classes? boolean Whether the target's cells are classes. Default: not if the first is a number.
---@field features? string|integer|(string|integer)[] The columns of the inputs, by name or by position from 1, which are numbers. Default: all but the target.
---@field delimiter? string One of , ; | : and tab. Default: that of the first line.
---@field header? boolean Whether the first row names the columns; default: true. Otherwise they are "1", "2", ...
---@field name? string

--- A data set of your own, from a CSV file. Class k is the k-th of the distinct cells, which are in the order of numbers
--- if all are integers, else of bytes; the cells are the names of the classes.
---@param options luanas.data.Csv
---@return luanas.Data
function data.csv(options) end

---@class luanas.data.PngFolder: luanas.data.Split
---@field path string
---@field folders? string[] The sub-folders to read, at least two, in the order of the classes. Default: all, in the order of the bytes of their names.
---@field background? integer 0 (black) to 255 (white): what is seen through transparent pixels. Without it, an image that has any is an error.
---@field rgb? boolean Grey images become coloured ones; default: false.
---@field distinct? boolean Of images with equal pixels the first counts, whatever its class, so that none is in both training and validation; default: false.
---@field name? string

--- A data set of your own, from a folder of PNG images: each sub-folder is a class, and its files *.png are the images.
--- They have one size and are all grey or all coloured; see core.read_png.
---@param options luanas.data.PngFolder
---@return luanas.Data
function data.png_folder(options) end

---@class luanas.data.Cifar10: luanas.data.Split
---@field path string|string[] The folder with data_batch_1.bin to data_batch_5.bin, or in whose folder cifar-10-batches-bin they are; or a list of such files.

--- CIFAR-10 (Krizhevsky 2009), binary version: 50,000 images of 32x32x3 in 10 classes, with names. Class k is k - 1 in
--- the files.
---@param options luanas.data.Cifar10
---@return luanas.Data
function data.cifar10(options) end

---@class luanas.data.Synthetic: luanas.data.Split
---@field images? integer 10 to 100000, default 500.
---@field classes? integer 2 to 100000, default 10.
---@field height? integer 1 to 100000, default 8.
---@field width? integer 1 to 100000, default 8.
---@field channels? integer 1 to 100000, default 1.
---@field seed? integer Of the images; at least 0, default 0.

--- Made-up images that any network can learn, for tests and first steps: each class has a random image, its members
--- are that image with noise.
---
--- Example:
---
---   local data = nas.data.synthetic { images = 200, classes = 4, validation = 0.25 }
---   print(data:info().training)
---@param options? luanas.data.Synthetic
---@return luanas.Data
function data.synthetic(options) end

---@class luanas.Data
---@field name string
local Data = {}

--- Reads the data set, the first time. Raises an error that names the file when it is missing or damaged.
---@return luanas.Dataset
function Data:load() end

--- What Dataset:info() tells; reads the data set.
---@return table
function Data:info() end

--- A page for people: inputs, targets, split, standardisation, fingerprint; reads the data set.
---@return string
function Data:describe() end

--- Image i as it was given, and its class (from 1) or a tensor of its values. Raises an error for inputs that are no
--- bytes.
---@param i integer
---@return luanas.Tensor, integer|luanas.Tensor
function Data:image(i) end

--- Shows images in the terminal, side by side, as nas.plot.image does, with number and class below.
---@param which integer|integer[] 1 to the number of images, or from the end -1 ...
function Data:show(which) end

--- Input i as the network sees it, standardised, and augmented as in an epoch of a training with that seed.
---@param i integer
---@param augment? table as in luanas.Train
---@param seed? integer default 0
---@param epoch? integer at least 0; default 1
---@return luanas.Tensor, integer|luanas.Tensor
function Data:input(i, augment, seed, epoch) end

--- The numbers of the inputs that are trained on, or validate, in the order of trial:predictions(): int32 {n}, from 1.
---@param name "training"|"validation"
---@return luanas.Tensor
function Data:part(name) end

--- Their targets in the same order: classes from 1, int32 {n}, or values, float32 {n, values}.
---@param name "training"|"validation"
---@return luanas.Tensor
function Data:targets(name) end

return data
