---@meta luanas.data
-- luacheck: ignore

--- Data sets. Files are read when a study first needs them. Each set has a training and a validation split, drawn
--- by a seed of its own; test data is not opened.
---
--- Options that all have:
---   validation    images that validate, a number or a share below 1, drawn from all; default: 5000 of Fashion-MNIST, a
---                 fifth of synthetic, a tenth of others
---   split_seed    at least 0, default 0: the same split for all searches, so that they share evaluations
---   stratified    true: draw within each class, in proportion
---   limit         train on the first so many of the training images only; 0, the default: on all
---   split         { training = {...}, validation = {...} }: lists of positions from 1 instead
---   standardize   true: inputs get mean 0 and variance 1 over the training images, for each channel or feature
--- Classes are 1, 2, ... in Lua; how they relate to the labels of files is said with each function.
---@class luanas.data
local data = {}

--- Fashion-MNIST (Xiao et al. 2017): 60,000 images of 28x28x1 in 10 classes. Looked for in $LUANAS_DATA (the folder
--- itself, or its fashion-mnist), ${XDG_DATA_HOME:-~/.local/share}/luanas/fashion-mnist and
--- /usr/share/datasets/fashion-mnist; plain or gzip'd. Contents are checked against their SHA-256 sums.
---@param options? luanas.data.Split|{ path?: string } path: the folder.
---@return luanas.Data
function data.fashion_mnist(options) end

---@class luanas.data.Idx: luanas.data.Split
---@field images string Path of an IDX file of bytes, {n, height, width} or {n, height, width, channels}; may be gzip'd.
---@field labels string Path of an IDX file, {n}. Label byte 0 is class 1.
---@field classes? integer At least 2, default 10.
---@field name? string
---@field images_sha256? string Expected sum of the decompressed content.
---@field labels_sha256? string

--- A data set of your own, from IDX files.
---@param options luanas.data.Idx
---@return luanas.Data
function data.idx(options) end

---@class luanas.data.Split
---@field validation? number
---@field split_seed? integer
---@field stratified? boolean
---@field limit? integer
---@field split? { training: integer[], validation: integer[] }
---@field standardize? boolean

---@class luanas.data.Tensors: luanas.data.Split
---@field x luanas.Tensor uint8 (a byte means x / 255) or float32, {n, features}, {n, height, width} or {n, height, width, channels}
---@field y luanas.Tensor int32 or uint8 {n}, classes 1 to `classes`; or float32 {n} or {n, k}, values
---@field classes? integer At least 2; without it the targets are values.
---@field class_names? string[]
---@field name? string

--- A data set of your own, from tensors, which are copied.
---@param options luanas.data.Tensors
---@return luanas.Data
function data.tensors(options) end

---@class luanas.data.Synthetic: luanas.data.Split
---@field images? integer At least 10, default 500.
---@field classes? integer At least 2, default 10.
---@field height? integer Default: 8.
---@field width? integer Default: 8.
---@field channels? integer Default: 1.
---@field seed? integer Of the images; at least 0, default 0.

--- Made-up images that any network can learn, for tests and first steps: each class has a random image, its members
--- are that image with noise.
---@param options? luanas.data.Synthetic
---@return luanas.Data
function data.synthetic(options) end

---@class luanas.Data
---@field name string
local Data = {}

--- Reads the data set, the first time. Raises an error that names the file when it is missing or damaged.
---@return luanas.Dataset
function Data:load() end

--- What Dataset:info of luanas.core gives; reads the data set.
---@return table
function Data:info() end

---@return string # a page for people: inputs, targets, split
function Data:describe() end

--- Input i as it was given, and its class (from 1) or a tensor of its values.
---@param i integer
---@return luanas.Tensor, integer|luanas.Tensor
function Data:image(i) end

--- Input i as the network sees it, standardised, and augmented as in an epoch of a training with that seed.
---@param i integer
---@param augment? table as in luanas.Train
---@param seed? integer default 0
---@param epoch? integer from 1; default 1
---@return luanas.Tensor, integer|luanas.Tensor
function Data:input(i, augment, seed, epoch) end

return data
