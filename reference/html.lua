--- HTML: text that is safe in it, and the frame of a page. What is made is well-formed XML, too.
local html = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

function html.escape(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

--- An element around HTML; attributes is "" or begins with a blank.
function html.element(name, attributes, inner)
  return ("<%s%s>%s</%s>"):format(name, attributes, inner, name)
end

function html.link(href, inner)
  return ('<a href="%s">%s</a>'):format(html.escape(href), inner)
end

--- A list of links { href =, text =, note = or nil }, in the order that they have.
function html.links(list)
  local items = {}
  for i, each in ipairs(list) do
    local note = each.note and each.note ~= "" and ' <span class="note">' .. each.note .. "</span>" or ""
    items[i] = html.element("li", "", html.link(each.href, html.escape(each.text)) .. note)
  end
  return "<ul>\n" .. table.concat(items, "\n") .. "\n</ul>"
end

--- A whole page; navigation and body are HTML.
function html.page(title, navigation, body)
  return table.concat({
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    html.element("title", "", html.escape(title)),
    '<link rel="stylesheet" href="style.css"/>',
    "</head>",
    "<body>",
    html.element("nav", "", navigation),
    html.element("main", "", body),
    "</body>",
    "</html>",
    "",
  }, "\n")
end

return html
