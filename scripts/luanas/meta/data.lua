---@meta luanas.data
-- luacheck: ignore

--- Data sets. Files are read when a study first needs them. Each set has a training and a validation split, drawn
--- by a seed of its own; test data is not opened.
---
--- Options that all have:
---   validation   images that validate, drawn from all; default 5000 (synthetic: a fifth)
---   split_seed   at least 0, default 0: the same split for all searches, so that they share evaluations
---   limit        train on the first so many of the training images only; 0, the default: on all
---@class luanas.data
local data = {}

--- Fashion-MNIST (Xiao et al. 2017): 60,000 images of 28x28x1 in 10 classes. Looked for in $LUANAS_DATA (the folder
--- itself, or its fashion-mnist), ${XDG_DATA_HOME:-~/.local/share}/luanas/fashion-mnist and
--- /usr/share/datasets/fashion-mnist; plain or gzip'd. Contents are checked against their SHA-256 sums.
---@param options? { validation?: integer, split_seed?: integer, limit?: integer, path?: string } path: the folder.
---@return luanas.Data
function data.fashion_mnist(options) end

---@class luanas.data.Idx
---@field images string Path of an IDX file of bytes, {n, height, width} or {n, height, width, channels}; may be gzip'd.
---@field labels string Path of an IDX file, {n}. Label byte 0 is class 1.
---@field classes? integer At least 2, default 10.
---@field name? string
---@field images_sha256? string Expected sum of the decompressed content.
---@field labels_sha256? string
---@field validation? integer
---@field split_seed? integer
---@field limit? integer

--- A data set of your own, from IDX files.
---@param options luanas.data.Idx
---@return luanas.Data
function data.idx(options) end

---@class luanas.data.Tensors
---@field images luanas.Tensor uint8 {n, height, width, channels}
---@field labels luanas.Tensor int32 {n}, 1 to classes.
---@field classes integer At least 2.
---@field name? string
---@field validation? integer
---@field split_seed? integer
---@field limit? integer

--- A data set of your own, from tensors, which are copied.
---@param options luanas.data.Tensors
---@return luanas.Data
function data.tensors(options) end

---@class luanas.data.Synthetic
---@field images? integer At least 10, default 500.
---@field classes? integer At least 2, default 10.
---@field height? integer Default: 8.
---@field width? integer Default: 8.
---@field channels? integer Default: 1.
---@field seed? integer Of the images; at least 0, default 0.
---@field validation? integer
---@field split_seed? integer
---@field limit? integer

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

--- { name, fingerprint, identity, classes, count, height, width, channels, training, validation }; reads the data set.
---@return table
function Data:info() end

return data
