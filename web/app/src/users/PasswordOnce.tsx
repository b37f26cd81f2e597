import { App, Button, Modal } from 'antd'
import type { UserCreated } from '../api/types'
import { useLanguage } from '../i18n'
import { copyText } from '../parts/copyText'

/** A first password, shown this once. */
export function PasswordOnce({ made, onClose }: { made: UserCreated | null; onClose: () => void }) {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const password = made?.password ?? null
  const copy = async (): Promise<void> => {
    const done = await copyText(password ?? '')
    void (done ? message.success(t('action.copied')) : message.error(t('users.not_copied')))
  }
  return (
    <Modal
      open={password !== null}
      closable={false}
      destroyOnHidden
      mask={{ closable: false }}
      keyboard={false}
      title={made && t('users.password_of', { name: made.user.display_name })}
      width={440}
      footer={
        <Button type="primary" onClick={onClose}>
          {t('users.password_done')}
        </Button>
      }
    >
      <p>{t('users.password_once')}</p>
      <p className="users__password">
        <span className="code">{password}</span>
        <Button size="small" onClick={() => void copy()}>
          {t('action.copy')}
        </Button>
      </p>
    </Modal>
  )
}
