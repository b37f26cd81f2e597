/** On plain http the clipboard API is absent; an invisible field does as well. */
function copyOldWay(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  // Inside an open dialog, which would take the focus back from the body.
  const place = document.querySelector('[role="dialog"]') ?? document.body
  place.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}

/** Copies a text by whichever way the browser allows. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (!window.isSecureContext) return copyOldWay(text)
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyOldWay(text)
  }
}
