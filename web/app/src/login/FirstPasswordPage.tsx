import { useLanguage } from '../i18n'
import { LoginFrame } from './LoginFrame'
import { PasswordForm } from './PasswordForm'

/** The first sign-in: nothing else opens until the first password is replaced. */
export function FirstPasswordPage() {
  const { t } = useLanguage()
  return (
    <LoginFrame title={t('password.first')} hint={t('password.first_hint')}>
      <PasswordForm block />
    </LoginFrame>
  )
}
