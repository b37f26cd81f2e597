import { App, Button } from 'antd'
import { useLanguage } from '../i18n'
import { copyText } from '../parts/copyText'

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
