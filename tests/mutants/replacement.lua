--- One exact replacement in a text, which must have the place exactly once: so that a mutant is what it says, also
--- after the source has changed.
return function(text, from, to, where)
  local first, last = text:find(from, 1, true)
  if not first then error(("%s: nowhere is\n%s"):format(where, from), 0) end
  if text:find(from, first + 1, true) then error(("%s: more than once there is\n%s"):format(where, from), 0) end
  return text:sub(1, first - 1) .. to .. text:sub(last + 1)
end
