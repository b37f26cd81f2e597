import { Link } from 'react-router'
import { useSettings } from '../api/settings'
import { useLanguage } from '../i18n'
import { NoticeBell } from '../notices/NoticeBell'
import { Joint } from '../parts/Joint'
import { DemoClock } from './DemoClock'
import { LanguageButton } from './LanguageButton'
import { LiveBadge } from './LiveBadge'
import { UserMenu } from './UserMenu'

/** The bar above every page. */
export function TopBar({ onHelp }: { onHelp: () => void }) {
  const { t, say } = useLanguage()
  const settings = useSettings()
  return (
    <header className="top">
      <Link to="/orders" className="brand" aria-label="榫 Tenon">
        <Joint size={22} />
        <span>榫</span>
      </Link>
      <span className="top__plant">{say(settings?.plant)}</span>
      <LiveBadge />
      <DemoClock />
      <LanguageButton />
      <button type="button" className="bare top__button top__help" onClick={onHelp} aria-label={t('help.title')}>
        ?
      </button>
      <NoticeBell />
      <UserMenu />
    </header>
  )
}
