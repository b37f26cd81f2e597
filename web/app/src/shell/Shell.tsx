import { Suspense, useState } from 'react'
import { Outlet } from 'react-router'
import { useLanguage } from '../i18n'
import { SourceDrawer } from '../parts/SourceDrawer'
import { Waiting } from '../parts/Waiting'
import { HelpDialog } from './HelpDialog'
import { PhoneTabs } from './PhoneTabs'
import { SideMenu } from './SideMenu'
import { TopBar } from './TopBar'
import { useKeys } from './useKeys'
import './Shell.css'

/** The frame around every page: menu, top bar, page, tabs on a phone. */
export default function Shell() {
  const { t } = useLanguage()
  const [help, setHelp] = useState(false)
  useKeys({ '?': () => setHelp(true) })
  return (
    <div className="shell">
      <a className="shell__skip" href="#main">
        {t('shell.skip')}
      </a>
      <SideMenu />
      <div className="shell__body">
        <TopBar onHelp={() => setHelp(true)} />
        <main id="main" className="shell__main" tabIndex={-1}>
          <Suspense
            fallback={
              <div className="page">
                <Waiting />
              </div>
            }
          >
            <Outlet />
          </Suspense>
        </main>
      </div>
      <PhoneTabs />
      <SourceDrawer />
      <HelpDialog open={help} onClose={() => setHelp(false)} />
    </div>
  )
}
