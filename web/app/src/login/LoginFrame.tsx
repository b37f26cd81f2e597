import type { ReactNode } from 'react'
import { useSettings } from '../api/settings'
import { useLanguage } from '../i18n'
import { LanguageButton } from '../shell/LanguageButton'
import { Joint } from '../parts/Joint'
import { LoginPicture } from './LoginPicture'
import './LoginFrame.css'

type Props = { title: string; hint?: string; children: ReactNode }

/** The quiet page around the sign-in forms. */
export function LoginFrame({ title, hint, children }: Props) {
  const { t, say } = useLanguage()
  const settings = useSettings()
  return (
    <div className="login">
      <aside className="login__aside">
        <div className="login__brand">
          <Joint size={30} />
          <span>榫 Tenon</span>
        </div>
        <LoginPicture />
        <div>
          <p className="login__line">{t('login.line')}</p>
          <p className="login__sub">{t('login.sub')}</p>
        </div>
      </aside>
      <main className="login__main">
        <div className="login__language">
          <LanguageButton />
        </div>
        <div className="login__form">
          <div className="login__phone-brand">
            <Joint size={28} />
            <span>榫 Tenon</span>
          </div>
          <h1>{title}</h1>
          <p className="muted login__plant">{hint ?? (say(settings?.plant) || '\u00a0')}</p>
          {children}
        </div>
        <p className="muted small login__version">
          {settings ? t('shell.version', { version: settings.version }) : '\u00a0'}
        </p>
      </main>
    </div>
  )
}
