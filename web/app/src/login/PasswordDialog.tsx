import { App, Modal } from 'antd'
import { useLanguage } from '../i18n'
import { PasswordForm } from './PasswordForm'

/** The password form in a dialog. */
export function PasswordDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const done = (): void => {
    onClose()
    void message.success(t('password.done'))
  }
  return (
    <Modal open={open} onCancel={onClose} footer={null} title={t('user.password')} width={420} destroyOnHidden>
      <PasswordForm onDone={done} />
    </Modal>
  )
}
