import { App, Button } from 'antd'
import { useLanguage } from '../i18n'

/** On plain http the clipboard API is absent; an invisible field does as well. */
function copyOldWay(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
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

/** Copies the address of this page, to pass on. */
export function CopyLink() {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const copy = async (): Promise<void> => {
    const done = await copyText(window.location.origin + window.location.pathname)
    void (done ? message.success(t('action.copied')) : message.error(t('action.not_copied')))
  }
  return (
    <Button size="small" onClick={() => void copy()}>
      {t('action.copy_link')}
    </Button>
  )
}
